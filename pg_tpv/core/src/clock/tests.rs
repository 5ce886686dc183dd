use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_790_000_000_000;
const YEAR_2099: i64 = 4_070_908_800_000;
const SKEW: i64 = 60_000;

/// A node whose disk may lag behind its memory, and what it promised to the world.
struct Node {
    clock: Clock,
    disk: i64,
    now_ms: i64,
    greatest_used: i64,
    reservations: i64,
}

impl Node {
    fn new() -> Self {
        Self { clock: Clock::recover(0, NOW), disk: 0, now_ms: NOW, greatest_used: i64::MIN, reservations: 0 }
    }

    fn write(&mut self, ceiling: i64) {
        self.disk = ceiling;
        self.clock.reserved(ceiling);
        self.reservations += 1;
    }

    fn tick(&mut self) {
        let Tick { hlc, needs_ceiling } = self.clock.tick(self.now_ms);
        if let Some(ceiling) = needs_ceiling {
            self.write(ceiling);
        }
        assert!(hlc > self.greatest_used, "{hlc} after {}", self.greatest_used);
        assert!(hlc <= self.disk, "a stamp above what a crash would leave");
        self.greatest_used = hlc;
    }

    fn crash(&mut self) {
        self.clock = Clock::recover(self.disk, self.now_ms);
    }
}

#[derive(Clone, Debug)]
enum Event {
    Ticks(u32),
    Pass(i64),
    SetWallClock(i64),
    Observe(i64),
    Worker,
    Crash,
    CrashBeforeTheWrite,
    StepBack { crash: bool, written: bool },
}

fn event() -> impl Strategy<Value = Event> {
    let wall = prop_oneof![
        4 => NOW - 5_000..NOW + 5_000,
        2 => NOW - 100_000_000..NOW + 100_000_000,
        1 => Just(YEAR_2099),
        1 => prop_oneof![Just(0), Just(-1), Just(i64::MIN), Just(i64::MAX), any::<i64>()],
    ];
    prop_oneof![
        6 => (1u32..40).prop_map(Event::Ticks),
        4 => (0i64..8_000).prop_map(Event::Pass),
        2 => wall.prop_map(Event::SetWallClock),
        3 => prop_oneof![(-100_000i64..100_000).prop_map(|ms| (NOW + ms) << 16), any::<i64>()].prop_map(Event::Observe),
        2 => Just(Event::Worker),
        1 => Just(Event::Crash),
        1 => Just(Event::CrashBeforeTheWrite),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(crash, written)| Event::StepBack { crash, written }),
    ]
}

impl Node {
    fn run(&mut self, event: Event) {
        match event {
            Event::Ticks(ticks) => (0..ticks).for_each(|_| self.tick()),
            Event::Pass(ms) => self.now_ms = self.now_ms.saturating_add(ms),
            Event::SetWallClock(ms) => self.now_ms = ms,
            Event::Observe(remote) => {
                let before = self.clock;
                match self.clock.observe(remote, self.now_ms, SKEW) {
                    Observed::Taken => assert!(self.clock.tick(self.now_ms).hlc > remote),
                    Observed::Behind => assert!(before == self.clock && before.last >= remote),
                    Observed::Ahead { by_ms } => assert!(before == self.clock && by_ms > 0),
                }
            }
            Event::Worker => {
                if let Some(ceiling) = self.clock.wants_ceiling(self.now_ms) {
                    self.write(ceiling);
                }
                let next = self.clock.tick(self.now_ms);
                assert_eq!(next.needs_ceiling, None, "the worker has just been here");
            }
            Event::Crash => self.crash(),
            Event::CrashBeforeTheWrite => {
                // The stamp was never used, if a ceiling was asked for; else it counts.
                let tick = self.clock.tick(self.now_ms);
                if tick.needs_ceiling.is_none() {
                    self.greatest_used = tick.hlc;
                }
                self.crash();
            }
            Event::StepBack { crash, written } => {
                let Some(ceiling) = self.clock.step_back(self.now_ms) else { return };
                self.greatest_used = i64::MIN;
                assert_eq!(self.clock.ahead_ms(self.now_ms), 0);
                if written {
                    self.write(ceiling);
                }
                if crash {
                    self.crash();
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn every_stamp_is_above_all_before_it_whatever_happens_to_machine_and_wall_clock(
        events in proptest::collection::vec(event(), 1..25)
    ) {
        let mut node = Node::new();
        for event in events {
            node.run(event);
        }
        node.tick();
    }

    #[test]
    fn the_disk_is_written_once_for_each_reserve_and_not_for_each_stamp(steps in proptest::collection::vec(0i64..400, 1..40)) {
        let mut node = Node::new();
        for ms in &steps {
            node.now_ms += ms;
            (0..8).for_each(|_| node.tick());
        }
        let spent: i64 = steps.iter().sum();
        prop_assert!(node.reservations <= 1 + spent / RESERVE_MS, "{} in {spent} ms", node.reservations);
    }

    #[test]
    fn no_value_makes_the_clock_panic(
        state in any::<(i64, i64)>(), remote in any::<i64>(), now in any::<i64>(), skew in any::<i64>()
    ) {
        let mut clock = Clock { last: state.0, ceiling: state.1 };
        let _ = clock.observe(remote, now, skew);
        let _ = clock.tick(now);
        let _ = (clock.wants_ceiling(now), clock.ahead_ms(now), clock.step_back(now));
        let _ = Clock::recover(remote, now).tick(now);
        let _ = time_of(remote);
    }
}

#[test]
fn a_full_counter_carries_into_the_milliseconds() {
    let mut clock = Clock::recover(0, NOW);
    let first = clock.tick(NOW).hlc;
    assert_eq!(first, NOW << 16);
    for nth in 1..=70_000 {
        assert_eq!(clock.tick(NOW).hlc, first + nth);
    }
    assert_eq!(time_of(clock.last).timestamp_millis(), NOW + 1);
}

#[test]
fn a_wall_clock_set_back_does_not_take_the_clock_with_it() {
    let mut clock = Clock::recover(0, NOW);
    let before = clock.tick(NOW).hlc;
    assert_eq!(clock.tick(NOW - 3_600_000).hlc, before + 1);
    assert_eq!(clock.ahead_ms(NOW - 3_600_000), 3_600_000);
}

#[test]
fn a_stamp_too_far_ahead_is_ignored_and_says_by_how_much() {
    let mut clock = Clock::recover(0, NOW);
    let seen = clock.observe(YEAR_2099 << 16, NOW, SKEW);
    assert_eq!(seen, Observed::Ahead { by_ms: YEAR_2099 - NOW });
    assert_eq!(time_of(clock.tick(NOW).hlc).timestamp_millis(), NOW);
    assert_eq!(clock.observe((NOW + SKEW) << 16, NOW, SKEW), Observed::Taken);
    assert_eq!(clock.observe(NOW << 16, NOW, SKEW), Observed::Behind);
}

// A till that had been in 2099 stayed there after its wall clock was right again, since the ceiling
// on disk was in 2099.
#[test]
fn a_clock_from_2099_comes_back_once_told_to_and_stays_back_after_a_crash() {
    let mut node = Node::new();
    node.now_ms = YEAR_2099;
    node.tick();
    node.now_ms = NOW;
    node.crash();
    node.tick();
    assert!(time_of(node.clock.last).timestamp_millis() >= YEAR_2099);

    let ceiling = node.clock.step_back(NOW).unwrap();
    node.greatest_used = i64::MIN;
    node.write(ceiling);
    node.crash();
    node.tick();
    assert!(node.clock.ahead_ms(NOW) <= RESERVE_MS);
    assert_eq!(Clock::recover(0, NOW).step_back(NOW), None);
}

#[test]
fn a_wall_clock_beyond_all_reason_still_leaves_stamps() {
    let mut node = Node::new();
    node.now_ms = i64::MAX;
    (0..100_000).for_each(|_| node.tick());
}

#[test]
fn the_instant_is_in_the_upper_bits() {
    assert_eq!(time_of((1_790_000_000_123 << 16) + 77).to_rfc3339(), "2026-09-21T14:13:20.123+00:00");
    assert_eq!(time_of(-1).timestamp_millis(), -1);
}
