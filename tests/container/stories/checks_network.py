"""Ports, URLs, routes, names and the clock: each check passes, and fails for what is really wrong."""

from bed import Container

SHORT = True
ETC = ("overlay",)
ANSWER = """#!/bin/bash
while read -r line && [ "${line%?}" ]; do case $line in *" /bad "*) status=503 ;; esac; done
printf 'HTTP/1.1 %s X\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n' "${status:-200}"
"""


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh(f"cat >/var/answer <<'END'\n{ANSWER}END\nchmod +x /var/answer; ip link set lo up;"
             "mkdir -p /run/systemd/system; cd /run/systemd/system;"
             "printf '[Socket]\\nListenStream=127.0.0.1:8080\\nAccept=yes\\n' >api.socket;"
             "printf '[Service]\\nExecStart=/var/answer\\nStandardInput=socket\\n' >api@.service;"
             "printf '[Socket]\\nListenStream=127.0.0.1:8081\\n' >mute.socket;"
             "printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >mute.service;"
             "systemctl daemon-reload; systemctl start api.socket mute.socket;"
             "echo 192.0.2.7 there.example >>/etc/hosts")
        found = c.look(
            'api: {http: "http://127.0.0.1:8080/healthz"}',
            'bad: {http: "http://127.0.0.1:8080/bad"}',
            'expected: {http: "http://127.0.0.1:8080/bad", expect: 503}',
            'refused: {http: "http://127.0.0.1:1/", required: false}',
            'mute: {http: "http://127.0.0.1:8081/", timeout: 1s, required: false}',
            'port: {tcp: "127.0.0.1:8080"}',
            'closed: {tcp: "localhost:1"}',
            'far: {tcp: "192.0.2.1:80", timeout: 1s}',
            "net: {network: true}",
            "name: {network: true, resolve: there.example}",
            "noname: {network: true, resolve: nothere.invalid, timeout: 20s}",
            "clock: {time_sync: true}",
        )
        for name in ("api", "expected", "port"):
            assert found[name]["outcome"] == "pass" and found[name]["required"], found[name]
        assert found["bad"]["message"] == "status 503, not 200", found
        assert "refused" in found["refused"]["message"], found
        assert found["mute"]["outcome"] == "timeout" and found["mute"]["duration_ms"] < 3000, found
        assert found["closed"]["required"] and "refused" in found["closed"]["message"], found
        assert not found["far"]["required"] and found["far"]["outcome"] != "pass", found
        assert found["net"]["message"] == "there is no default route", found

        c.sh("ip link add v0 type veth peer name v1; ip addr add 192.0.2.2/24 dev v0;"
             "ip link set v0 up; ip link set v1 up; ip route add default via 192.0.2.1;"
             "mkdir -p /run/systemd/timesync; touch /run/systemd/timesync/synchronized")
        found = c.look()
        assert found["net"]["message"] == "default route over v0", found
        assert found["name"]["message"].endswith("there.example is 192.0.2.7"), found
        assert "does not resolve" in found["noname"]["message"], found
        assert found["clock"]["message"] == "systemd-timesyncd has set the clock", found
