use std::time::Duration;

use proptest::prelude::*;

use super::*;

const PATIENCE: Duration = Duration::from_secs(120);

fn life(n: u8) -> Life {
    Life::new([0, 0, 0, 0, 0, n])
}

fn descent(n: u8, before: &[u8]) -> Descent {
    Descent { life: life(n), before: before.iter().copied().map(life).collect() }
}

fn on_record(all: &[(u8, State)]) -> Vec<Recorded> {
    all.iter().map(|(n, state)| Recorded { life: life(*n), before: None, state: *state }).collect()
}

#[test]
fn a_life_names_itself_and_three_before_it() {
    let mut last = Descent::next(None, Life::new([0xab; 6]));
    assert_eq!(last.to_string(), "tpv abababababab");
    for n in 1..=5 {
        last = Descent::next(Some(&last), life(n));
    }
    assert_eq!(last, descent(5, &[4, 3, 2]));
    assert_eq!(last.to_string(), "tpv 000000000005 000000000004 000000000003 000000000002");
    // PostgreSQL keeps 63 characters of application_name.
    assert!(last.to_string().len() <= 63);
    assert_eq!(Descent::parse(&last.to_string()), Some(last));
}

#[test]
fn any_other_name_of_an_application_is_none() {
    let four = "000000000001 000000000002 000000000003 000000000004";
    for text in [
        "",
        "tpv",
        "tpv ",
        "psql",
        "tpv_from_central",
        "tpv 00000000001",
        "tpv 0000000000001",
        "tpv 00000000000G",
        "tpv 00000000000A",
        "tpv +00000000001",
        "tpv  000000000001",
        "tpv 000000000001 ",
        "Tpv 000000000001",
        &format!("tpv 000000000000 {four}"),
    ] {
        assert_eq!(Descent::parse(text), None, "{text}");
    }
    assert!(Descent::parse(&format!("tpv {four}")).is_some());
}

#[test]
fn who_follows_the_current_one_takes_its_place_when_the_slot_is_free() {
    use State::{Current, Refused, Replaced, Waiting};
    let short = Duration::from_secs(5);
    let known = on_record(&[(1, Replaced), (2, Current), (3, Waiting(short)), (4, Waiting(PATIENCE)), (5, Refused)]);
    let judged = |comes: &Descent, is_free| judge(comes, &known, is_free, PATIENCE);
    let take = |is_known| Verdict::Take { is_known };
    for is_free in [true, false] {
        assert_eq!(judged(&descent(2, &[1]), is_free), Verdict::Continue);
        assert_eq!(judged(&descent(1, &[]), is_free), Verdict::Refuse(Why::Replaced));
        assert_eq!(judged(&descent(9, &[1]), is_free), Verdict::Refuse(Why::Follows(life(1))));
        assert_eq!(judged(&descent(9, &[8, 1, 2]), is_free), Verdict::Refuse(Why::Follows(life(1))));
        assert_eq!(judged(&descent(5, &[2]), is_free), Verdict::Refuse(Why::Beside));
        assert_eq!(judged(&descent(6, &[5, 2]), is_free), Verdict::Refuse(Why::Follows(life(5))));
        assert_eq!(judge(&descent(5, &[2]), &[], is_free, PATIENCE), take(true));
    }
    for comes in [descent(9, &[2, 1]), descent(9, &[8, 2]), descent(3, &[2]), descent(9, &[3, 2])] {
        assert_eq!(judged(&comes, true), take(true), "{comes}");
        assert_eq!(judged(&comes, false), Verdict::Wait, "{comes}");
    }
    // Nothing of its past is on record.
    for comes in [descent(9, &[]), descent(9, &[8, 7])] {
        assert_eq!(judged(&comes, true), take(false), "{comes}");
        assert_eq!(judged(&comes, false), Verdict::Wait, "{comes}");
    }
    // What is left over of a server holds no slot for so long.
    for comes in [descent(4, &[2]), descent(9, &[4, 2])] {
        assert_eq!(judged(&comes, true), take(true), "{comes}");
        assert_eq!(judged(&comes, false), Verdict::Refuse(Why::Beside), "{comes}");
    }
    // What those said who were put off: 8 follows 7, which follows one that was replaced.
    let mut waits = on_record(&[(1, Replaced), (2, Current), (7, Waiting(short)), (8, Waiting(short))]);
    (waits[2].before, waits[3].before) = (Some(life(1)), Some(life(7)));
    let verdict = judge(&descent(9, &[8]), &waits, true, PATIENCE);
    assert_eq!(verdict, Verdict::Refuse(Why::Follows(life(1))));
    // It may say anything.
    waits[2].before = Some(life(8));
    assert_eq!(judge(&descent(9, &[8]), &waits, true, PATIENCE), take(false));
    // Somebody has decided that the next one is the peer.
    let open = on_record(&[(1, Replaced), (2, Replaced), (5, Refused)]);
    for comes in [descent(1, &[]), descent(5, &[2]), descent(9, &[1]), descent(9, &[])] {
        assert_eq!(judge(&comes, &open, true, PATIENCE), take(true), "{comes}");
    }
}

#[test]
fn a_heartbeat_tells_of_lives_that_were_refused() {
    let refused = Refused::from([(7, vec![life(1), life(2)]), (9, vec![life(3)])]);
    let told = tell(r#"{"since":70}"#, &refused);
    assert_eq!(told, r#"{"refused":{"7":["000000000001","000000000002"],"9":["000000000003"]},"since":70}"#);
    assert_eq!(heard(&told, 7), [life(1), life(2)]);
    assert!(heard(&told, 8).is_empty());
    assert_eq!(heard(&tell("{}", &refused), 9), [life(3)]);
    assert_eq!(tell("{}", &Refused::new()), "{}");
    let many = Refused::from([(7, (0..9).map(life).collect())]);
    assert_eq!(heard(&tell("{}", &many), 7), [life(0), life(1), life(2)]);
    for more in ["", "[]", "{", r#"{"refused":7}"#, r#"{"refused":{"7":"x"}}"#, r#"{"refused":{"7":[1,"x",null]}}"#] {
        assert!(heard(more, 7).is_empty(), "{more}");
    }
}

/// A server that subscribes, as far as it matters here.
#[derive(Clone, Debug)]
struct Server {
    descent: Descent,
    /// Whether another server has its place, or it was refused.
    is_out: bool,
}

/// A sender: what it has on record, and who streams.
#[derive(Clone, Debug, Default)]
struct Sender {
    known: Vec<(Life, Option<Life>, Kept)>,
    now: Duration,
    slot: Option<Connection>,
}

/// As it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Current,
    Replaced,
    WaitingSince(Duration),
    Refused,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    life: Life,
    /// Until when it is held although its server has ended.
    left_over_until: Option<Duration>,
}

impl Sender {
    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        let now = self.now;
        self.slot = self.slot.filter(|it| it.left_over_until.is_none_or(|until| now < until));
    }

    fn put(&mut self, comes: &Descent, kept: Kept) {
        self.known.retain(|(known, ..)| *known != comes.life);
        self.known.push((comes.life, comes.before.first().copied(), kept));
    }

    /// Whether it was let in; the connection that streams then is its own.
    fn hears(&mut self, comes: &Descent) -> (Verdict, bool) {
        let state = |kept: Kept| match kept {
            Kept::Current => State::Current,
            Kept::Replaced => State::Replaced,
            Kept::WaitingSince(at) => State::Waiting(self.now - at),
            Kept::Refused => State::Refused,
        };
        let recorded = |(life, before, kept): &(Life, Option<Life>, Kept)| Recorded {
            life: *life,
            before: *before,
            state: state(*kept),
        };
        let known: Vec<_> = self.known.iter().map(recorded).collect();
        let verdict = judge(comes, &known, self.slot.is_none(), PATIENCE);
        match verdict {
            Verdict::Continue => {}
            Verdict::Take { .. } => {
                for (life, _, kept) in &mut self.known {
                    let is_past = matches!(kept, Kept::WaitingSince(_)) && comes.before.contains(life);
                    if *kept == Kept::Current || is_past {
                        *kept = Kept::Replaced;
                    }
                }
                self.put(comes, Kept::Current);
            }
            Verdict::Wait => {
                if !known.iter().any(|it| it.life == comes.life) {
                    self.put(comes, Kept::WaitingSince(self.now));
                }
            }
            Verdict::Refuse(Why::Replaced) => {}
            Verdict::Refuse(_) => self.put(comes, Kept::Refused),
        }
        // PostgreSQL lets nobody stream a slot that is streamed.
        let is_let_in = matches!(verdict, Verdict::Continue | Verdict::Take { .. }) && self.slot.is_none();
        if is_let_in {
            self.slot = Some(Connection { life: comes.life, left_over_until: None });
        }
        (verdict, is_let_in)
    }

    /// A server ends. What it leaves over holds the slot for some time.
    fn loses(&mut self, life: Life, for_seconds: u64) {
        let until = self.now + Duration::from_secs(for_seconds);
        let left = self.slot.filter(|it| it.life == life && it.left_over_until.is_none());
        if left.is_some() {
            self.slot = (for_seconds > 0).then_some(Connection { life, left_over_until: Some(until) });
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A server starts anew; what it leaves over holds the slot for so long.
    Starts { which: usize, leaves: u64 },
    /// It connects, or tries to.
    Connects { which: usize },
    /// Its connection ends.
    Drops { which: usize },
    /// Time passes.
    Passes(u64),
    /// The sender starts anew: nobody is connected.
    SenderStarts,
    /// The sender goes back to what it had on record when it was backed up.
    SenderIsRestored,
    /// It is backed up.
    SenderIsBackedUp,
}

fn step() -> impl Strategy<Value = Step> {
    let which = || 0..2_usize;
    prop_oneof![
        3 => (which(), 0..100_u64).prop_map(|(which, leaves)| Step::Starts { which, leaves }),
        6 => which().prop_map(|which| Step::Connects { which }),
        2 => which().prop_map(|which| Step::Drops { which }),
        3 => (0..200_u64).prop_map(Step::Passes),
        1 => Just(Step::SenderStarts),
        1 => Just(Step::SenderIsRestored),
        1 => Just(Step::SenderIsBackedUp),
    ]
}

/// Names that nobody has had.
struct Names(u8);

impl Names {
    fn next(&mut self) -> Life {
        self.0 += 1;
        life(self.0)
    }
}

proptest! {
    #[test]
    fn a_server_that_is_alone_is_never_refused(steps in prop::collection::vec(step(), 0..120)) {
        let mut names = Names(0);
        let mut server = Descent::next(None, names.next());
        let (mut sender, mut backup) = (Sender::default(), Sender::default());
        for step in steps {
            match step {
                Step::Starts { leaves, .. } => {
                    sender.loses(server.life, leaves);
                    server = Descent::next(Some(&server), names.next());
                }
                Step::Connects { .. } => {
                    let (verdict, _) = sender.hears(&server);
                    prop_assert!(!matches!(verdict, Verdict::Refuse(_)), "{verdict:?} {server}");
                }
                Step::Drops { .. } => sender.loses(server.life, 0),
                Step::Passes(seconds) => sender.pass(seconds),
                Step::SenderStarts => sender.slot = None,
                Step::SenderIsBackedUp => backup = sender.clone(),
                // A restored sender has nobody connected, and its clock goes on.
                Step::SenderIsRestored => {
                    sender = Sender { now: sender.now, slot: None, known: backup.known.clone() };
                }
            }
        }
        sender.pass(PATIENCE.as_secs());
        sender.loses(server.life, 0);
        let (verdict, is_let_in) = sender.hears(&server);
        prop_assert!(is_let_in, "{verdict:?}");
    }

    /// Both start often, and each tries to connect with every start, so that the sender hears of it.
    #[test]
    fn of_two_copies_the_one_that_was_replaced_or_refused_never_comes_back(
        before in 0..3_usize,
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut names = Names(0);
        let mut sender = Sender::default();
        let mut original = Descent::next(None, names.next());
        for _ in 0..before {
            _ = sender.hears(&original);
            sender.loses(original.life, 0);
            original = Descent::next(Some(&original), names.next());
        }
        _ = sender.hears(&original);
        // The copy begins with a start, the original may go on.
        let copy = Descent::next(Some(&original), names.next());
        let mut servers = [original, copy].map(|descent| Server { descent, is_out: false });
        // Which of the two has the place.
        let mut holder = 0;
        for step in steps {
            let connects = match step {
                Step::Starts { which, leaves } => {
                    sender.loses(servers[which].descent.life, leaves);
                    servers[which].descent = Descent::next(Some(&servers[which].descent), names.next());
                    Some(which)
                }
                Step::Connects { which } => Some(which),
                Step::Drops { which } => {
                    sender.loses(servers[which].descent.life, 0);
                    None
                }
                Step::Passes(seconds) => {
                    sender.pass(seconds);
                    None
                }
                Step::SenderStarts => {
                    sender.slot = None;
                    None
                }
                Step::SenderIsRestored | Step::SenderIsBackedUp => None,
            };
            let Some(which) = connects else { continue };
            let (verdict, is_let_in) = sender.hears(&servers[which].descent);
            if is_let_in {
                prop_assert!(!servers[which].is_out, "server {which} came back: {verdict:?}");
            }
            match verdict {
                Verdict::Take { .. } if holder != which => {
                    servers[holder].is_out = true;
                    holder = which;
                }
                Verdict::Refuse(_) => {
                    prop_assert!(which != holder, "the one that has the place was refused: {verdict:?}");
                    servers[which].is_out = true;
                }
                _ => {}
            }
        }
    }
}
