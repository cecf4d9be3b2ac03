from __future__ import annotations

import pytest

from busgate.judge.decide import Judge, PolicyError
from busgate.judge.grants import GrantError, read_grant
from busgate.judge.policy import load_policy
from busgate.judge.situation import Situation
from busgate.judge.terms import timestamp
from busgate.model import Action, Reason, Verdict
from support.judging import MONDAY, PROFILE, SECOND, blocked, given, group, message, passed, policy_of

HEARTBEAT = "id: heartbeat\nmessage: TboxHeartbeat"
BEAT = message("TboxHeartbeat")

TORQUE = "id: torque\nmessage: TboxDrive\ngrant: maintenance"
DRIVE = message("TboxDrive")
GRANT = """
grant: g-7
holder: {who: J. Jansen, organisation: Example Service BV, country: NL}
vehicle: bus-0421
functions: [maintenance, charging]
start: 2026-11-23T11:00:00Z
end: 2026-11-23T12:00:00Z
reason: inverter replaced
approvers: [A. Bakker, C. de Vries]
"""
GRANTED = passed("torque", "grant g-7 to J. Jansen, Example Service BV (NL) until 2026-11-23T12:00:00Z", Reason.GRANTED)
NO_GRANT = blocked(Reason.GRANT_REQUIRED, "torque", "no grant for maintenance is active")


# ---------------------------------------------------------------- a policy in force


def test_without_a_policy_nothing_passes() -> None:
    judge = Judge(PROFILE)
    assert judge.policy is None
    assert judge.decide(BEAT, Situation(), 0, wall=None) == blocked(Reason.NO_POLICY, "", "there is no policy")


def test_the_policy_in_force_is_the_one_adopted() -> None:
    judge, policy = Judge(PROFILE), load_policy(policy_of(HEARTBEAT))
    judge.adopt(policy)
    assert judge.policy is policy


DATED = "policy: dated\nversion: 1\nvalid_from: 2026-11-23T11:00:00Z\nexpires: 2026-11-23T12:00:00Z"
NOT_YET = blocked(Reason.NO_POLICY, "", "policy dated is valid from 2026-11-23T11:00:00Z")
EXPIRED = blocked(Reason.POLICY_EXPIRED, "", "policy dated expired at 2026-11-23T12:00:00Z")


def test_a_policy_holds_from_its_first_moment_to_the_one_before_its_last() -> None:
    bus = given(HEARTBEAT, head=DATED)
    bus.at("2026-11-23T10:59:59.999999999Z") >> BEAT << NOT_YET
    bus.at("2026-11-23T11:00:00Z") >> BEAT << passed("heartbeat")
    bus.at("2026-11-23T11:59:59.999999999Z") >> BEAT << passed("heartbeat")
    bus.at("2026-11-23T12:00:00Z") >> BEAT << EXPIRED


def test_a_clock_set_back_does_not_revive_an_expired_policy() -> None:
    bus = given(HEARTBEAT, head=DATED).at("2026-11-23T12:00:00Z")
    bus >> BEAT << EXPIRED
    bus.at("2026-11-23T11:30:00Z") >> BEAT << EXPIRED
    bus.at(None) >> BEAT << EXPIRED


def test_an_expired_policy_stays_expired_after_a_restart() -> None:
    judge = Judge(PROFILE, latest=timestamp("2026-11-23T12:00:00Z"))
    dated = policy_of(HEARTBEAT, head=DATED)
    with pytest.raises(PolicyError, match=r"^policy dated expired at 2026-11-23T12:00:00Z$"):
        judge.adopt(load_policy(dated))
    assert judge.latest == timestamp("2026-11-23T12:00:00Z")


def test_while_no_time_was_ever_trusted_a_policys_dates_cannot_tell() -> None:
    given(HEARTBEAT, head=DATED, trusted=False) >> BEAT << passed("heartbeat")


def test_time_that_was_trusted_once_runs_on_and_expires_a_policy() -> None:
    bus = given(HEARTBEAT, head=DATED).at("2026-11-23T11:30:00Z")
    bus >> BEAT << passed("heartbeat")
    bus.at(None).after(30 * 60 - 1) >> BEAT << passed("heartbeat")
    bus.after(1) >> BEAT << EXPIRED


@pytest.mark.parametrize("dates", ["valid_from: 2026-11-23T11:00:00Z", "expires: 2026-11-23T12:00:00Z"])
def test_either_date_holds_alone(dates: str) -> None:
    bus = given(HEARTBEAT, head=f"policy: dated\nversion: 1\n{dates}")
    bus.at("2026-11-23T11:00:00Z") >> BEAT << passed("heartbeat")
    bus.at("2026-11-23T13:00:00Z") >> BEAT << (EXPIRED if "expires" in dates else passed("heartbeat"))


# ---------------------------------------------------------------- adopting


def test_a_policy_for_another_profile_is_refused_and_the_old_one_stays() -> None:
    bus = given(HEARTBEAT)
    other = policy_of(HEARTBEAT, head="policy: other\nversion: 9\nprofile: truck")
    with pytest.raises(PolicyError, match=r"^policy other is for profile truck; this is demo-ebus$"):
        bus.adopt(other)
    bus >> BEAT << passed("heartbeat")


def test_a_policy_for_this_profile_is_taken() -> None:
    given(HEARTBEAT, head="policy: own\nversion: 1\nprofile: demo-ebus") >> BEAT << passed("heartbeat")


@pytest.mark.parametrize("version", [1, 2])
def test_versions_only_rise(version: int) -> None:
    bus = given(HEARTBEAT, head="policy: test\nversion: 2")
    with pytest.raises(PolicyError, match=rf"^policy version {version} is not above 2, the one in force; raise it$"):
        bus.adopt(policy_of(head=f"policy: test\nversion: {version}"))
    bus >> BEAT << passed("heartbeat")


def test_a_higher_version_replaces_the_policy() -> None:
    bus = given(HEARTBEAT, head="policy: test\nversion: 2")
    bus.adopt(policy_of(head="policy: test\nversion: 3"))
    bus >> BEAT << blocked(Reason.NOT_ALLOWLISTED, "", "no rule allows message TboxHeartbeat")


def test_the_same_policy_may_be_adopted_again() -> None:
    given(HEARTBEAT).adopt(policy_of(HEARTBEAT)) >> BEAT << passed("heartbeat")


def test_a_policy_that_is_not_valid_yet_does_not_replace_one_that_is() -> None:
    bus = given(HEARTBEAT)
    bus >> BEAT << passed("heartbeat")
    with pytest.raises(PolicyError, match=r"^policy dated is valid from 2026-11-23T11:00:00Z$"):
        bus.adopt(policy_of(head=DATED.replace("version: 1", "version: 2")))
    bus >> BEAT << passed("heartbeat")


# ---------------------------------------------------------------- which rule speaks


def test_the_first_rule_that_is_met_lets_a_message_pass() -> None:
    first = "id: first\nmessage: M\nsignals: {A: {max: 5}}"
    bus = given(first, "id: second\nmessage: M", "id: third\nmessage: M")
    bus >> message("M", A=5) << passed("first")
    bus >> message("M", A=6) << passed("second")


def test_rules_by_name_and_by_group_come_in_the_policys_order() -> None:
    by_name, by_group = "id: name\nmessage: M", "id: group\npgn: 0xFF20"
    given(by_name, by_group) >> group(0xFF20, name="M") << passed("name")
    given(by_group, by_name) >> group(0xFF20, name="M") << passed("group")
    given(by_group, by_name) >> group(0xFF20, name="N") << passed("group")
    given(by_group, by_name) >> group(0xFF21, name="M") << passed("name")


CLOSER = [
    ("id: r0\npgn: 0xEA00\nda: any\nrequested: 0", Reason.NOT_ALLOWLISTED),
    ("id: r1\npgn: 0xEA00\nda: any\nrequested: any\nsignals: {B: {max: 5}}", Reason.SIGNAL_UNKNOWN),
    ("id: r2\npgn: 0xEA00\nda: any\nrequested: any\nsignals: {A: {max: 5}}", Reason.SIGNAL_OUT_OF_RANGE),
    ("id: r3\npgn: 0xEA00\nda: any\nrequested: any\ngrant: nothing", Reason.GRANT_REQUIRED),
    ("id: r4\npgn: 0xEA00\nda: any\nrequested: any\ngrant: maintenance", Reason.TIME_UNKNOWN),
    (
        "id: r6\npgn: 0xEA00\nda: any\nrequested: any\nwhen: {speed: {max: 5, max_age: 1 s}}",
        Reason.CONDITION_UNKNOWN,
    ),
    (
        "id: r7\npgn: 0xEA00\nda: any\nrequested: any\nwhen: {park_brake: {is: true, max_age: 1 s}}",
        Reason.CONDITION_NOT_MET,
    ),
    ("id: r8\npgn: 0xEA00\nda: any\nrequested: any\nrate: {count: 1, per: 1 h}", Reason.RATE_EXCEEDED),
]


@pytest.mark.parametrize("near", range(len(CLOSER)))
@pytest.mark.parametrize("far", range(len(CLOSER)))
def test_the_reason_told_is_that_of_the_rule_that_came_closest(near: int, far: int) -> None:
    """In whichever order the two rules stand."""
    asked = group(0xEA00, data="E0FE00", A=6)
    bus = given(CLOSER[near][0], *([CLOSER[far][0]] if far != near else []), trusted=False)
    bus.grant(GRANT).fact("park_brake", False)
    if (len(CLOSER) - 1) in {near, far}:
        bus >> asked << passed("r8")
    said = (bus >> asked).said
    assert said is not None
    closest = CLOSER[max(near, far)]
    assert (said.reason, said.rule) == (closest[1], closest[0].split()[1])


def test_of_rules_that_came_equally_close_the_first_is_told() -> None:
    bus = given("id: one\nmessage: M\nsignals: {A: {max: 5}}", "id: two\nmessage: M\nsignals: {A: {max: 6}}")
    bus >> message("M", A=9) << blocked(Reason.SIGNAL_OUT_OF_RANGE, "one", "A 9 is above 5")


def test_outside_a_window_is_closer_than_no_grant_and_farther_than_a_condition() -> None:
    window = "window: {from: '11:00', to: '12:00'}"
    bus = given("id: grant\nmessage: M\ngrant: x", f"id: window\nmessage: M\n{window}")
    bus >> message("M") << blocked(Reason.OUTSIDE_WINDOW, "window", "mon 10:00 is outside the window")
    when = "when: {speed: {max: 5, max_age: 1 s}}"
    bus = given(f"id: when\nmessage: M\n{when}", f"id: window\nmessage: M\n{window}")
    bus >> message("M") << blocked(Reason.CONDITION_UNKNOWN, "when", "speed is not known from the last 1 s")


def test_a_rule_is_checked_content_then_grant_then_window_then_vehicle_then_rate() -> None:
    rule = """
        id: all
        message: M
        signals: {A: {max: 5}}
        grant: maintenance
        window: {from: "11:30", to: "12:30"}
        when: {speed: {max: 5, max_age: 1 h}}
        rate: {count: 1, per: 1 h}
        """
    bus = given(rule).grant(GRANT).fact("speed", 6.5)
    bus >> message("M", A=6) << blocked(Reason.SIGNAL_OUT_OF_RANGE, "all", "A 6 is above 5")
    bus >> message("M", A=5) << blocked(Reason.GRANT_REQUIRED, "all", "no grant for maintenance is active")
    bus.at("2026-11-23T11:00:00Z")
    bus >> message("M", A=5) << blocked(Reason.OUTSIDE_WINDOW, "all", "mon 11:00 is outside the window")
    bus.at("2026-11-23T11:30:00Z")
    bus >> message("M", A=5) << blocked(Reason.CONDITION_NOT_MET, "all", "speed 6.5 km/h is above 5")
    bus.fact("speed", 5)
    assert (bus >> message("M", A=5)).said == Verdict(Action.PASS, Reason.GRANTED, "all", GRANTED.detail)
    bus >> message("M", A=5) << blocked(Reason.RATE_EXCEEDED, "all", "more than 1 in 1 h")


# ---------------------------------------------------------------- rates


SIX = "id: six\nmessage: M\nrate: {count: 2, per: 10 s}"
FULL = blocked(Reason.RATE_EXCEEDED, "six", "more than 2 in 10 s")


def test_a_rate_lets_so_many_pass_in_any_stretch_of_time() -> None:
    bus = given(SIX)
    bus >> message("M") << passed("six")
    bus.after(4) >> message("M") << passed("six")
    bus.after(5.999999999) >> message("M") << FULL
    bus.after(0.000000001) >> message("M") << passed("six")
    bus >> message("M") << FULL
    bus.after(4) >> message("M") << passed("six")


def test_what_was_blocked_does_not_count() -> None:
    bus = given(SIX + "\nwhen: {speed: {max: 5, max_age: 1 h}}").fact("speed", 6)
    for _ in range(5):
        assert (bus >> message("M")).said == blocked(Reason.CONDITION_NOT_MET, "six", "speed 6 km/h is above 5")
    bus.fact("speed", 0) >> message("M") << passed("six")
    bus >> message("M") << passed("six")
    bus >> message("M") << FULL


def test_how_often_a_rule_was_used_survives_a_new_policy() -> None:
    bus = given(SIX)
    bus >> message("M") << passed("six")
    bus >> message("M") << passed("six")
    bus.adopt(policy_of(HEARTBEAT, SIX, head="policy: test\nversion: 2")) >> message("M") << FULL


def test_a_new_rate_starts_afresh() -> None:
    bus = given(SIX)
    bus >> message("M") << passed("six")
    bus >> message("M") << passed("six")
    bus.adopt(policy_of(SIX.replace("10 s", "11 s"), head="policy: test\nversion: 2")) >> message("M") << passed("six")


def test_rules_do_not_share_their_rates() -> None:
    bus = given(SIX, SIX.replace("id: six", "id: more"))
    for rule in ("six", "six", "more", "more"):
        bus >> message("M") << passed(rule)
    bus >> message("M") << FULL


def test_a_clock_set_back_frees_no_place_and_keeps_none() -> None:
    bus = given(SIX).after(1000)
    bus >> message("M") << passed("six")
    bus >> message("M") << passed("six")
    bus.after(-900) >> message("M") << FULL
    bus.after(10) >> message("M") << passed("six")


# ---------------------------------------------------------------- grants


def test_a_granted_function_works_from_start_to_end() -> None:
    bus = given(TORQUE).grant(GRANT)
    bus.at("2026-11-23T10:59:59.999999999Z") >> DRIVE << NO_GRANT
    bus.at("2026-11-23T11:00:00Z") >> DRIVE << GRANTED
    bus.at("2026-11-23T11:59:59.999999999Z") >> DRIVE << GRANTED
    bus.at("2026-11-23T12:00:00Z") >> DRIVE << NO_GRANT


def test_without_a_grant_it_does_not() -> None:
    given(TORQUE).at("2026-11-23T11:30:00Z") >> DRIVE << NO_GRANT


def test_a_grant_for_something_else_is_none() -> None:
    bus = given(TORQUE).grant(GRANT.replace("maintenance, ", "")).at("2026-11-23T11:30:00Z")
    bus >> DRIVE << NO_GRANT


def test_a_clock_set_back_does_not_lengthen_a_grant() -> None:
    bus = given(TORQUE).grant(GRANT).at("2026-11-23T11:30:00Z")
    bus >> DRIVE << GRANTED
    bus.at("2026-11-23T11:00:00Z") >> DRIVE << GRANTED
    bus.after(29 * 60) >> DRIVE << GRANTED
    bus.after(60) >> DRIVE << NO_GRANT


def test_a_grant_that_has_ended_stays_ended() -> None:
    bus = given(TORQUE).grant(GRANT).at("2026-11-23T12:00:00Z")
    bus >> DRIVE << NO_GRANT
    bus.at("2026-11-23T11:30:00Z") >> DRIVE << NO_GRANT


def test_a_grant_without_trusted_time_is_no_grant() -> None:
    unknown = blocked(Reason.TIME_UNKNOWN, "torque", "no trusted time to judge the grant for maintenance by")
    bus = given(TORQUE, trusted=False)
    bus >> DRIVE << NO_GRANT
    bus.grant(GRANT) >> DRIVE << unknown
    bus.at("2026-11-23T11:30:00Z") >> DRIVE << GRANTED
    bus.at(None) >> DRIVE << unknown


def test_any_grant_for_the_function_will_do() -> None:
    bus = given(TORQUE).grant(GRANT.replace("g-7", "g-6").replace("T11", "T10").replace("T12:00", "T10:30"))
    bus.grant(GRANT).at("2026-11-23T11:30:00Z") >> DRIVE << GRANTED


def test_ticks_tell_when_grants_begin_and_end() -> None:
    bus = given(TORQUE).grant(GRANT)
    start, end = timestamp("2026-11-23T11:00:00Z"), timestamp("2026-11-23T12:00:00Z")
    assert bus.judge.next_deadline() is None
    assert bus.judge.tick(5, MONDAY) == ()
    assert bus.judge.next_deadline() == 5 + start - MONDAY
    (began,) = bus.judge.tick(7, start)
    assert (began.at, began.stage, began.grant) == (7, "start", "g-7")
    assert bus.judge.next_deadline() == 7 + end - start
    (ended,) = bus.judge.tick(9, end)
    assert (ended.at, ended.stage) == (9, "end")
    assert bus.judge.next_deadline() is None


def test_a_decision_is_a_reading_of_the_clock_too() -> None:
    bus = given(TORQUE).grant(GRANT).after(3)
    bus >> DRIVE << NO_GRANT
    assert bus.judge.latest == bus.wall
    assert bus.judge.next_deadline() == bus.now + timestamp("2026-11-23T11:00:00Z") - (bus.wall or 0)


def test_grants_are_made_out_to_the_device() -> None:
    (
        given(TORQUE, device="bus-0422").grant(GRANT.replace("bus-0421", "bus-0422")).at("2026-11-23T11:30:00Z")
        >> DRIVE
        << GRANTED
    )


def test_a_judge_without_a_name_takes_no_vehicles_grant() -> None:
    with pytest.raises(GrantError, match=r"this is unnamed$"):
        Judge(PROFILE).grants.adopt(read_grant(GRANT))


def test_before_time_is_known_there_is_no_deadline() -> None:
    assert Judge(PROFILE).next_deadline() is None


# ---------------------------------------------------------------- windows and the vehicle


def test_a_window_needs_trusted_time() -> None:
    rule = "id: night\nmessage: M\nwindow: {from: '09:00', to: '11:00'}"
    given(rule) >> message("M") << passed("night")
    unknown = blocked(Reason.TIME_UNKNOWN, "night", "no trusted time to judge the window by")
    given(rule, trusted=False) >> message("M") << unknown


def test_a_condition_holds_as_long_as_its_fact_is_fresh() -> None:
    rule = "id: stood\nmessage: M\nwhen: {speed: {max: 5, max_age: 2 s}}"
    bus = given(rule).fact("speed", 5.0)
    bus.after(2) >> message("M") << passed("stood")
    unknown = blocked(Reason.CONDITION_UNKNOWN, "stood", "speed is not known from the last 2 s")
    bus.after(0.000000001) >> message("M") << unknown
    bus.fact("speed", 4) >> message("M") << passed("stood")
    bus.fact("speed", None) >> message("M") << unknown


# ---------------------------------------------------------------- malformed frames


def test_malformed_frames_pass_only_by_a_policy_in_force_that_says_so() -> None:
    assert not Judge(PROFILE).passes_malformed
    assert not given().judge.passes_malformed
    assert not given(head="policy: test\nversion: 1\nmalformed: block").judge.passes_malformed
    assert given(head="policy: test\nversion: 1\nmalformed: pass").judge.passes_malformed


def test_an_expired_policy_lets_no_malformed_frame_pass() -> None:
    bus = given(head=DATED + "\nmalformed: pass").at("2026-11-23T11:30:00Z")
    bus >> BEAT << blocked(Reason.NOT_ALLOWLISTED, "", "no rule allows message TboxHeartbeat")
    assert bus.judge.passes_malformed
    bus.judge.tick(2 * SECOND, timestamp("2026-11-23T12:00:00Z"))
    assert not bus.judge.passes_malformed
