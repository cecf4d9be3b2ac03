"""The whole way from a device's log to the SOC over a real broker, with everything going wrong in between."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from busgate.record.log import Log
from busgate.report import bundle, topics
from busgate.report.broker import BrokerError
from busgate.report.uplink import COSIGNED, Uplink
from busgate_soc.happenings import Alarm, Early, Presence, Strange, Verified
from support.mosquitto import MISSING, PROGRAM, Mosquitto, free_port, mosquitto
from support.reporting import DEVICE, DEVICE_KEY, SOC_KEY, Soc, grow, open_log, signer, until

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture(params=["3.1.1", "5"])
def url(broker: Mosquitto, request: pytest.FixtureRequest) -> str:
    """The broker's address, once for each version of MQTT."""
    return f"{broker.url}?v={request.param}"


def witnessed(url: str, log: Log) -> Uplink:
    """A started uplink whose witness is the SOC."""
    uplink = Uplink(url, DEVICE, log, witnesses=[SOC_KEY.verifier])
    uplink.start()
    return uplink


def nothing_missing(soc: Soc, log: Log) -> bool:
    return soc.records() == list(range(log.size)) and soc.root() == log.root


def test_every_record_arrives_is_verified_and_cosigned(url: str) -> None:
    log = open_log()
    with closing(Soc(url)) as soc, closing(witnessed(url, log)) as uplink:
        grow(log, 600)
        until(lambda: uplink.cosigned == log.size, soc, uplink)
        assert uplink.drain(5)
        assert nothing_missing(soc, log)
        assert soc.alarms() == set()
        assert (uplink.published, log.cursor(COSIGNED)) == (log.size, log.size)


def test_without_a_witness_drained_means_at_the_broker_and_nothing_is_called_cosigned(url: str) -> None:
    log = open_log()
    with closing(Uplink(url, DEVICE, log)) as uplink:
        uplink.start()
        assert uplink.drain(10)
        assert (uplink.published, uplink.cosigned) == (log.size, 0)


def test_a_witness_that_never_answers_leaves_the_log_published_but_not_drained(broker: Mosquitto) -> None:
    log = open_log()
    with closing(witnessed(broker.url, log)) as uplink:
        assert not uplink.drain(1.5)
        assert (uplink.published, uplink.cosigned) == (log.size, 0)


@pytest.mark.parametrize("persistence", [True, False])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_broker_restarted_in_mid_run_loses_nothing(
    tmp_path: Path, number: signal.Signals, *, persistence: bool
) -> None:
    log = open_log()
    with mosquitto(tmp_path / "broker", persistence=persistence) as broker, closing(Soc(broker.url)) as soc:
        with closing(witnessed(broker.url, log)) as uplink:
            grow(log, 300)
            until(lambda: soc.proven() > 0, soc, uplink)
            broker.stop(number)
            grow(log, 300)
            uplink.pump()
            broker.start()
            until(lambda: uplink.cosigned == log.size, soc, uplink)
        assert nothing_missing(soc, log)
        assert soc.alarms() == set()


def test_a_soc_restarted_in_mid_run_goes_on_from_what_it_kept(url: str, tmp_path: Path) -> None:
    log = open_log()
    with closing(witnessed(url, log)) as uplink:
        with closing(Soc(url, state=tmp_path / "soc")) as soc:
            grow(log, 200)
            until(lambda: uplink.cosigned == log.size, soc, uplink)
            before = log.size
        grow(log, 200)
        uplink.drain(0.5)
        with closing(Soc(url, state=tmp_path / "soc")) as soc:
            until(lambda: uplink.cosigned == log.size, soc, uplink)
            assert soc.records() == list(range(before, log.size))
            assert soc.root() == log.root
            assert soc.alarms() == set()


def test_a_soc_that_joins_late_asks_for_all_and_gets_it(url: str) -> None:
    log = open_log()
    grow(log, 500)
    with closing(Uplink(url, DEVICE, log)) as uplink:
        uplink.start()
        assert uplink.drain(10)
        with closing(Soc(url, key=None)) as soc:
            until(lambda: soc.proven() == log.size, soc, uplink)
            assert nothing_missing(soc, log)


def test_a_device_that_restarts_goes_on_from_what_was_cosigned(url: str, tmp_path: Path) -> None:
    with closing(Soc(url)) as soc:
        with closing(open_log(tmp_path / "log")) as log, closing(witnessed(url, log)) as uplink:
            grow(log, 50)
            until(lambda: uplink.cosigned == log.size, soc, uplink)
            assert uplink.drain(5)
            size = log.size
        with closing(open_log(tmp_path / "log")) as log, closing(witnessed(url, log)) as uplink:
            assert uplink.cosigned == size
            grow(log, 50)
            until(lambda: uplink.cosigned == log.size, soc, uplink)
            assert nothing_missing(soc, log)


def test_everything_sent_twice_is_shown_once(broker: Mosquitto) -> None:
    log = open_log()
    with closing(Soc(broker.url)) as soc, closing(witnessed(broker.url, log)) as uplink:
        grow(log, 100)
        until(lambda: uplink.cosigned == log.size, soc, uplink)
        uplink._window.rewind(0)
        until(lambda: uplink.published == log.size and not uplink._window.on_the_way, soc, uplink)
        grow(log, 1)
        until(lambda: uplink.cosigned == log.size, soc, uplink)
        assert nothing_missing(soc, log)
        assert soc.alarms() == set()


def test_a_log_by_another_key_is_refused_and_never_cosigned(broker: Mosquitto) -> None:
    log = open_log(key=signer(9))
    with closing(Soc(broker.url)) as soc, closing(witnessed(broker.url, log)) as uplink:
        until(lambda: Alarm.REFUSED in soc.alarms(), soc, uplink)
        assert soc.records() == []
        assert uplink.cosigned == 0


def test_a_cosignature_by_a_stranger_acknowledges_nothing(broker: Mosquitto) -> None:
    log = open_log()
    stranger = signer(9, "soc.example.org")
    with closing(Soc(broker.url, key=stranger)) as soc, closing(witnessed(broker.url, log)) as uplink:
        until(lambda: "no witness of this device" in uplink.status.text, soc, uplink)
        assert uplink.cosigned == 0


def test_a_copied_device_is_an_alarm_and_its_history_is_not_cosigned(broker: Mosquitto) -> None:
    log, clone = open_log(), open_log()
    grow(log, 20)
    grow(clone, 40, name="VCU_Other")
    with closing(Soc(broker.url)) as soc:
        with closing(witnessed(broker.url, log)) as uplink:
            until(lambda: uplink.cosigned == log.size, soc, uplink)
        with closing(witnessed(broker.url, clone)) as uplink:
            until(lambda: Alarm.DIVERGES in soc.alarms(), soc, uplink)
            assert uplink.cosigned == 0
        grow(log, 40)
        with closing(witnessed(broker.url, log)) as uplink:
            until(lambda: Alarm.CONTRADICTION in soc.alarms(), soc, uplink)
            assert uplink.cosigned < log.size


def test_a_device_set_back_to_an_older_copy_is_told_that_the_witness_knows_more(broker: Mosquitto) -> None:
    log, older = open_log(), open_log()
    grow(older, 5)
    grow(log, 5)
    grow(log, 20)
    with closing(Soc(broker.url)) as soc:
        with closing(witnessed(broker.url, log)) as uplink:
            until(lambda: uplink.cosigned == log.size, soc, uplink)
        with closing(witnessed(broker.url, older)) as uplink:
            until(lambda: "a witness knows 27 entries" in uplink.status.text, soc, uplink)
            assert uplink.cosigned == 0


def test_a_broker_that_is_not_there_yet_is_a_backlog(tmp_path: Path) -> None:
    log = open_log()
    grow(log, 100)
    with mosquitto(tmp_path / "broker") as broker:
        broker.stop()
        with closing(witnessed(broker.url, log)) as uplink:
            assert not uplink.drain(0.5)
            assert "Connection refused" in uplink.status.text
            broker.start()
            with closing(Soc(broker.url)) as soc:
                until(lambda: uplink.cosigned == log.size, soc, uplink)
                assert nothing_missing(soc, log)


def test_a_broker_that_hangs_never_gets_more_than_the_window_and_close_comes_back(broker: Mosquitto) -> None:
    log = open_log()
    uplink = witnessed(broker.url, log)
    uplink.reach(10)
    assert broker._process is not None
    broker._process.send_signal(signal.SIGSTOP)
    try:
        grow(log, 256 * 40)
        for _ in range(50):
            uplink.pump()
        assert len(uplink._window.on_the_way) <= 16
        uplink.close()
    finally:
        broker._process.send_signal(signal.SIGCONT)


def test_an_alert_is_shown_early_and_confirmed_by_the_log(broker: Mosquitto) -> None:
    log = open_log()
    with closing(Soc(broker.url)) as soc, closing(witnessed(broker.url, log)) as uplink:
        until(lambda: uplink.cosigned == log.size and soc.listening, soc, uplink)
        grow(log, 1)
        uplink.notify(log.size - 1)
        until(lambda: uplink.cosigned == log.size, soc, uplink)
    early = next(happening for happening in soc.learned if isinstance(happening, Early))
    confirmed = [r for head in soc.learned if isinstance(head, Verified) for r in head.records if r.early]
    assert [record.index for record in confirmed] == [early.index] == [log.size - 1]
    assert soc.collector.unconfirmed == 0


def test_a_broken_line_is_announced_by_the_will_and_outlived_by_the_next_birth(broker: Mosquitto) -> None:
    log = open_log()
    with closing(Soc(broker.url)) as soc, closing(witnessed(broker.url, log)) as uplink:
        until(lambda: uplink.cosigned == log.size, soc, uplink)
        line = uplink._connection._client.socket()
        assert isinstance(line, socket.socket)
        line.shutdown(socket.SHUT_RDWR)
        until(lambda: uplink._presence._session == 2, soc, uplink)
        grow(log, 1)
        until(lambda: uplink.cosigned == log.size, soc, uplink)
        assert [log.device for log in soc.collector.online] == [DEVICE]
    assert any(isinstance(happening, Presence) for happening in soc.learned)


def test_foreign_bytes_on_the_topics_are_named_and_passed_over(broker: Mosquitto) -> None:
    log = open_log()
    with closing(Soc(broker.url)) as soc, closing(witnessed(broker.url, log)) as uplink:
        until(lambda: soc.listening and uplink.status.connected, soc, uplink)
        for topic in (
            topics.entries(DEVICE, log.incarnation),
            topics.alert(DEVICE),
            topics.state(DEVICE),
        ):
            soc.connection.publish(topic, b"\xff\x1b[2J\x00")
        soc.connection.publish(topics.cosignature(DEVICE, log.incarnation), b"\xff\x1b[2J")
        soc.connection.publish(topics.cosignature(DEVICE, log.incarnation), b"409 999999\n")
        grow(log, 50)
        until(lambda: uplink.cosigned == log.size, soc, uplink)
        assert sum(isinstance(happening, Strange) for happening in soc.learned) == 3
        assert nothing_missing(soc, log)


def test_records_forged_into_the_stream_are_thrown_out_by_the_signed_head(broker: Mosquitto) -> None:
    log = open_log()
    with closing(Soc(broker.url)) as soc, closing(witnessed(broker.url, log)) as uplink:
        until(lambda: uplink.cosigned == log.size, soc, uplink)
        soc.connection.publish(topics.entries(DEVICE, log.incarnation), bundle.encode(log.size, [b'{"forged":1}'] * 3))
        until(lambda: any(wanted > proven for proven, wanted in soc.collector.sizes.values()), soc)
        grow(log, 10)
        until(lambda: uplink.cosigned == log.size, soc, uplink)
        assert nothing_missing(soc, log)
        assert soc.alarms() == set()


def test_a_wrong_password_is_one_line_that_does_not_show_it(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "passwords").write_text("", encoding="utf-8")
    extra = f"allow_anonymous false\npassword_file {tmp_path}/broker/passwords\n"
    with mosquitto(tmp_path / "broker", extra=extra) as broker:
        url = broker.url.replace("mqtt://", "mqtt://bus:sesame@")
        with closing(Uplink(url, DEVICE, open_log())) as uplink:
            uplink.start()
            with pytest.raises(BrokerError, match="refused this client: Not authorized") as raised:
                uplink.reach(10)
            assert not uplink.drain(10)
    assert "sesame" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_something_that_is_no_broker_gives_a_line_and_not_a_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer_http, args=(server,), daemon=True).start()
        with closing(Uplink(f"mqtt://127.0.0.1:{server.getsockname()[1]}", DEVICE, open_log())) as uplink:
            uplink.start()
            with pytest.raises(BrokerError, match=r"(does not speak MQTT|was lost)"):
                uplink.reach(2)
    assert "Traceback" not in capfd.readouterr().err


def test_nobody_at_that_port_is_said_in_one_line() -> None:
    with closing(Uplink(f"mqtt://127.0.0.1:{free_port()}", DEVICE, open_log())) as uplink:
        uplink.start()
        with pytest.raises(BrokerError, match=r"Connection refused. Next: check the address"):
            uplink.reach(0.5)


def test_the_key_in_use_is_the_one_that_was_given(broker: Mosquitto) -> None:
    log = open_log()
    with closing(Soc(broker.url, given=())) as soc, closing(witnessed(broker.url, log)) as uplink:
        until(lambda: uplink.cosigned == log.size, soc, uplink)
    head = next(happening for happening in soc.learned if isinstance(happening, Verified))
    assert head.basis == "came with the log"
    assert DEVICE_KEY.verifier.public == soc.collector._keyring._remembered[DEVICE]


def _answer_http(server: socket.socket) -> None:
    line, _ = server.accept()
    with line:
        line.recv(100)
        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
