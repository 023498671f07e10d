"""An update's init ends at once, which only running it shows: the kernel panics, and the update is not entered again."""

from bed import Machine

ETC = ("overlay",)
#: A program of the right kind, whole, with all its libraries: pre-flight has nothing against it. One start is
#: enough here to be left, to save boots; starts_without_verdict.py shows that by default it takes three.
UPDATE = """cp --remove-destination /usr/bin/true /usr/lib/systemd/systemd
mkdir -p /etc/health-checker
echo 'policy: {unfinished_boots: 1}' >/etc/health-checker/few.yaml"""


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        new = m.update(UPDATE)
        m.reboot(wait=False)
        assert m.wait_end() == "panic"
        assert "Attempted to kill init" in m.console.text, m.console.tail()
        with m.offline() as top:
            assert top.default() == new
        # Left in the initrd, in the same boot.
        m.boot()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"], status["snapshot"]["default"]) == ("healthy", 1, 1), status
        assert status["last_rollback"]["failed"] == ["starts without a verdict"], status
        assert status["last_rollback"]["from"]["number"] == new, status
