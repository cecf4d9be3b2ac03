"""The service table is whole, and its effects are those the design names."""

from busgate.decode.uds_services import NEGATIVE_RESPONSE, RESPONSE_BIT, SERVICES, VENDOR_REQUESTS

ISO_14229 = bytes.fromhex("101114192223242728292a2c2e2f3134353637383d3e8384858687")
ALTERING = bytes.fromhex("1011142728292c2e2f3134353637383d8384858687")


def test_all_services_of_both_standards_are_there() -> None:
    assert set(SERVICES) == {*ISO_14229, *range(0x01, 0x0B), *VENDOR_REQUESTS}


def test_services_that_alter_state_are_marked() -> None:
    altering = {sid for sid, service in SERVICES.items() if service.alters_state}
    assert altering == {*ALTERING, 0x04, 0x08, *VENDOR_REQUESTS}


def test_no_request_can_be_taken_for_an_answer() -> None:
    answers = {sid | RESPONSE_BIT for sid in SERVICES} | {NEGATIVE_RESPONSE}
    assert not answers & set(SERVICES)
    assert not any(sid & RESPONSE_BIT for sid in SERVICES)


def test_every_service_has_its_own_name_and_a_clause() -> None:
    names = [service.name for sid, service in SERVICES.items() if sid not in VENDOR_REQUESTS]
    assert len(set(names)) == len(names)
    assert all(service.clause for service in SERVICES.values())
