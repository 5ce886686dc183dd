//! Sessions that want the same at the same moment, through SQL alone.

use std::collections::HashMap;
use std::sync::Barrier;
use std::thread;

use postgres::Client;
use tpv_lab::store::Rig;
use tpv_lab::store::{Input, Receipts};
use uuid::Uuid;

/// A lost race may leave one side refused, so each race is run often enough for either side to win.
const ROUNDS: usize = 20;

/// What a batch was answered, file by file: outcome and code.
type Answers = Result<Vec<(String, Option<String>)>, postgres::Error>;

fn ingest(session: &mut Client, terminal: &str, inputs: &[Input]) -> Answers {
    let files: Vec<&[u8]> = inputs.iter().map(|input| input.bytes.as_slice()).collect();
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let sql = "select outcome, code from sales.ingest_files($1, $2, $3) order by position";
    let rows = session.query(sql, &[&terminal, &files, &names])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn sessions(rig: &Rig, count: usize) -> Vec<Client> {
    (0..count).map(|_| rig.cluster.connect_as("tpv_watcher", "tpv").unwrap()).collect()
}

/// Lets all of it begin at once and hands back what came of each.
fn at_once<T: Send>(work: Vec<Box<dyn FnOnce() -> T + Send + '_>>) -> Vec<T> {
    let barrier = Barrier::new(work.len());
    thread::scope(|scope| {
        let barrier = &barrier;
        let mut threads = Vec::new();
        for one in work {
            threads.push(scope.spawn(move || {
                barrier.wait();
                one()
            }));
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The ticket that undoes `of`: the next number, the opposite of every line.
fn opposite(receipts: &mut Receipts, of: &Input) -> Input {
    let mut input = receipts.good(&of.terminal);
    let text = String::from_utf8(of.bytes.clone()).unwrap().replace(&of.number, &input.number);
    input.bytes = text.replace(r#""quantity":"#, r#""quantity":-"#).replace(r#""total":"#, r#""total":-"#).into_bytes();
    input
}

fn hash_chains_are_whole(dba: &mut Client) {
    let broken = dba.query("select from wire.verify_chains() where not intact", &[]).unwrap();
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn a_file_that_many_sessions_ingest_at_once_is_one_receipt() {
    let rig = Rig::idle().unwrap();
    let mut receipts = Receipts::new(1);
    let mut sessions = sessions(&rig, 6);
    for round in 0..ROUNDS {
        let input = [receipts.good("T01")];
        let work = sessions
            .iter_mut()
            .map(|session| -> Box<dyn FnOnce() -> Answers + Send + '_> { Box::new(|| ingest(session, "T01", &input)) });
        let answers: Vec<_> = at_once(work.collect()).into_iter().map(|answer| answer.unwrap()[0].0.clone()).collect();
        let accepted = answers.iter().filter(|outcome| *outcome == "accepted").count();
        let duplicate = answers.iter().filter(|outcome| *outcome == "duplicate").count();
        assert_eq!((accepted, duplicate), (1, 5), "round {round}: {answers:?}");
    }
    let mut dba = rig.dba().unwrap();
    let found: i64 = dba.query_one("select count(*) from sales.receipt", &[]).unwrap().get(0);
    assert_eq!(found, 20);
    hash_chains_are_whole(&mut dba);
}

#[test]
fn two_terminals_that_want_the_same_names_in_opposite_orders_never_lock_each_other_out() {
    let rig = Rig::idle().unwrap();
    let mut receipts = Receipts::new(2);
    let mut sessions = sessions(&rig, 2);
    for round in 0..ROUNDS {
        let there: Vec<_> = (0..32).map(|_| receipts.good("T01")).collect();
        // The same numbers at another terminal of the department, so the same names, last first.
        let back: Vec<_> = there.iter().rev().map(|input| as_of(input, "T05")).collect();
        let (first, second) = sessions.split_at_mut(1);
        let answers = at_once::<Answers>(vec![
            Box::new(|| ingest(&mut first[0], "T01", &there)),
            Box::new(|| ingest(&mut second[0], "T05", &back)),
        ]);
        let mut of_number: HashMap<&str, Vec<(String, Option<String>)>> = HashMap::new();
        for (inputs, answers) in [&there, &back].into_iter().zip(answers) {
            for (input, answer) in inputs.iter().zip(answers.unwrap()) {
                of_number.entry(&input.number).or_default().push(answer);
            }
        }
        for (number, mut answers) in of_number {
            answers.sort();
            let wanted = [("accepted".to_owned(), None), ("held".to_owned(), Some("NAME_COLLISION".to_owned()))];
            assert_eq!(answers, wanted, "round {round}, number {number}");
        }
    }
    let mut dba = rig.dba().unwrap();
    let named: i64 = dba.query_one("select count(distinct lower(name)) from dat.file", &[]).unwrap().get(0);
    assert_eq!(named, 20 * 32);
    hash_chains_are_whole(&mut dba);
}

/// The same receipt as if another terminal had printed it.
fn as_of(input: &Input, terminal: &str) -> Input {
    let text = String::from_utf8(input.bytes.clone()).unwrap().replace(&input.terminal, terminal);
    Input { terminal: terminal.to_owned(), bytes: text.into_bytes(), ..input.clone() }
}

/// A receipt, and the ticket that undoes it.
fn with_opposite(rig: &Rig, receipts: &mut Receipts, session: &mut Client) -> (Uuid, Input) {
    let first = receipts.good("T01");
    ingest(session, "T01", std::slice::from_ref(&first)).unwrap();
    let sql = "select receipt_id from sales.receipt where terminal = 'T01' and receipt_number = $1";
    let id = rig.dba().unwrap().query_one(sql, &[&first.number]).unwrap().get(0);
    (id, opposite(receipts, &first))
}

/// Its state, whether the checkout may still see its `.dat`, and how many documents end it.
fn state_of(dba: &mut Client, id: Uuid) -> (String, bool, i64) {
    let sql = "select r.state, \
                 exists (select from dat.file f where f.receipt_id = r.receipt_id and f.withdrawn_at is null), \
                 (select count(*) from sales.receipt_event e where e.receipt_id = r.receipt_id and e.kind = 'void') \
               from sales.receipt r where r.receipt_id = $1";
    let row = dba.query_one(sql, &[&id]).unwrap();
    (row.get(0), row.get(1), row.get(2))
}

#[test]
fn a_ticket_that_undoes_a_receipt_which_is_void_already_is_accepted() {
    let rig = Rig::idle().unwrap();
    let mut session = rig.cluster.connect_as("tpv_watcher", "tpv").unwrap();
    let (id, undo) = with_opposite(&rig, &mut Receipts::new(3), &mut session);
    let mut dba = rig.dba().unwrap();
    dba.execute("select sales.void($1, 'tested')", &[&id]).unwrap();
    assert_eq!(ingest(&mut session, "T01", &[undo]).unwrap(), [("accepted".to_owned(), None)]);
    assert_eq!(state_of(&mut dba, id), ("voided".to_owned(), false, 1));
    hash_chains_are_whole(&mut dba);
}

/// A terminal undoes a receipt in the moment in which an operator decides about it.
fn undone_while_an_operator(decides: &str, seed: u64) {
    let rig = Rig::idle().unwrap();
    let mut session = rig.cluster.connect_as("tpv_watcher", "tpv").unwrap();
    let (mut dba, mut receipts) = (rig.dba().unwrap(), Receipts::new(seed));
    let sql = format!("select {decides}($1, 'tested')");
    for round in 0..ROUNDS {
        let (id, undo) = with_opposite(&rig, &mut receipts, &mut session);
        let (dba_side, session_side) = (&mut dba, &mut session);
        let errors = at_once::<Result<(), postgres::Error>>(vec![
            Box::new(|| ingest(session_side, "T01", &[undo]).map(drop)),
            Box::new(|| dba_side.execute(&sql, &[&id]).map(drop)),
        ]);
        assert!(errors[0].is_ok(), "round {round}: the terminal's file: {errors:?}");
        // Whoever comes second may find that there is nothing left to decide, and nothing else may
        // stop it.
        let refused = errors[1].as_ref().err().map(|error| error.code().map(|code| code.code().to_owned()));
        assert!(matches!(&refused, None | Some(Some(_))), "round {round}: {errors:?}");
        assert!(refused.flatten().is_none_or(|code| code == "22023"), "round {round}: {errors:?}");
        assert_eq!(state_of(&mut dba, id), ("voided".to_owned(), false, 1), "round {round}");
    }
    hash_chains_are_whole(&mut dba);
}

#[test]
fn a_receipt_that_is_undone_and_voided_at_once_is_void_once() {
    undone_while_an_operator("sales.void", 4);
}

#[test]
fn a_receipt_that_is_undone_and_withdrawn_at_once_is_void_and_not_to_be_seen() {
    undone_while_an_operator("dat.withdraw", 5);
}

#[test]
fn a_receipt_that_is_undone_and_rendered_again_at_once_is_void_and_not_to_be_seen() {
    undone_while_an_operator("dat.render_again", 6);
}

#[test]
fn a_session_whose_wait_for_a_lock_ended_is_free_for_the_next_call() {
    // Once, the subtransaction stayed open behind the error: the session was "in transaction
    // (aborted)" without ever having begun one, and kept its locks.
    let rig = Rig::idle().unwrap();
    let mut receipts = Receipts::new(7);
    let mut sessions = sessions(&rig, 2);
    let (first, second) = (receipts.good("T01"), receipts.good("T01"));
    let (one, other) = sessions.split_at_mut(1);
    let (holder, waiter) = (&mut one[0], &mut other[0]);
    holder.batch_execute("begin").unwrap();
    ingest(holder, "T01", &[first]).unwrap();
    waiter.batch_execute("set lock_timeout = '50ms'").unwrap();
    let error = ingest(waiter, "T01", std::slice::from_ref(&second)).unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("55P03"), "{error:?}");
    waiter.batch_execute("select 1").unwrap();
    holder.batch_execute("commit").unwrap();
    assert_eq!(ingest(waiter, "T01", &[second]).unwrap(), [("accepted".to_owned(), None)]);
}
