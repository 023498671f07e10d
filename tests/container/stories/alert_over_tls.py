"""The webhook over TLS: to whom the system trusts, and to nobody else."""

from bed import Container, Outside
from bed.outside import HERE

ETC = ("nested",)


def story(etc: str) -> None:
    with Container(etc) as c, Outside(c) as outside:
        c.boot()
        outside.prepare()
        outside.plug()
        c.sh("systemctl restart systemd-networkd")
        c.wait_for("ip -4 address show host0 | grep -q 10.99")
        c.sh(f"""
            mkdir -p /var/lib/tls && cd /var/lib/tls
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ours -keyout ca.key -out ca.crt \
                -addext keyUsage=critical,keyCertSign
            openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr
            printf 'subjectAltName=IP:{HERE}\\nbasicConstraints=CA:FALSE\\n' >ext
            openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -days 2 -extfile ext -out server.crt
            cat server.key server.crt >server.pem
            mkdir -p /etc/health-checker
            printf 'checks: {{no: {{command: [/usr/bin/false]}}}}\\npolicy: {{mode: observe}}\\n' \
                >/etc/health-checker/story.yaml
            echo 'alerts: {{webhook: "https://{HERE}:8443/"}}' >>/etc/health-checker/story.yaml
        """)
        told = outside.server(8443, [200], tls=True)
        refused = c.run("health-checker assess --act")
        assert not told and "UnknownIssuer" in refused.err, (told, refused.err)

        c.sh("mkdir -p /usr/local/share/ca-certificates; "
             "cp /var/lib/tls/ca.crt /usr/local/share/ca-certificates/; update-ca-certificates")
        c.run("health-checker assess --act")
        assert [it["body"]["event"] for it in told] == ["not-acted"], told
