//! `examples/` on real servers: what it tells is so, and what it says to type can be typed. That
//! receipt and layout give the `.dat` is also tested without a server, in
//! `pg_tpv/core/tests/examples.rs`.

use std::fs;
use std::process::Command;

use tpv_lab::chain::Chain;
use tpv_lab::machine::Lab;

use crate::support::all_say;

fn example(name: &str) -> Vec<u8> {
    fs::read(Lab::open().unwrap().checkout.join("examples").join(name)).unwrap()
}

#[test]
fn the_conflict_of_the_examples_ends_as_it_is_told() {
    let chain = Chain::joined(2).unwrap();
    let script = Lab::open().unwrap().checkout.join("examples/conflict.sql");
    // Twice: a person plays it again.
    for _ in 0..2 {
        let output = Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--file"])
            .arg(&script)
            .arg(chain.stores[0].dba_url())
            .env("CENTRAL_URL", chain.central.dba_url())
            .env("S01_URL", chain.stores[0].dba_url())
            .env("S02_URL", chain.stores[1].dba_url())
            .output()
            .unwrap();
        let (told, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{told}{errors}");
        let values = told.lines().filter(|line| line.starts_with("phone|"));
        let mut chosen: Vec<(String, bool)> = values.map(|line| (line.to_owned(), line.ends_with("|t"))).collect();
        chosen.sort_by_key(|(_, chosen)| *chosen);
        assert!(matches!(&chosen[..], [(_, false), (_, true)]), "{told}");
        chain.converge().unwrap();
        let right = all_say(&chain, "select phone from party.customer where name = 'Ana Ruiz'");
        assert!(chosen[0].0.contains(&right), "{right} did not lose:\n{told}");
        assert_eq!(all_say(&chain, "select count(*)::text from sync.sibling"), "0");
    }
}

#[test]
fn the_receipt_of_the_examples_comes_out_as_the_dat_beside_it() {
    let chain = Chain::joined(1).unwrap();
    let (receipt, profile) = (example("receipt.json"), String::from_utf8(example("profile.json")).unwrap());
    let save = "select dat.save_profile($1::text::jsonb, department_code => '04', node_id => 1)";
    chain.central.connect().unwrap().execute(save, &[&profile]).unwrap();
    chain.converge().unwrap();
    let mut store = chain.stores[0].connect().unwrap();
    let now = "select to_char(t, 'YYYY-MM-DD\"T\"HH24:MI:SS'), to_char(t, 'DDMMYY') from (select now() at time zone 'Europe/Madrid') n (t)";
    let now = store.query_one(now, &[]).unwrap();
    let (timestamp, day): (String, String) = (now.get(0), now.get(1));
    // A receipt that is more than 13 months old would be held.
    let today = String::from_utf8(receipt).unwrap().replace("2026-06-30T13:45:12", &timestamp).into_bytes();
    let ingest =
        "select outcome, flags, dat_name, dat from sales.ingest_files('T04', array[$1::bytea], array['4711.json'])";
    let answer = store.query_one(ingest, &[&today]).unwrap();
    assert_eq!((answer.get(0), answer.get(1)), ("accepted", Vec::<String>::new()));
    let name: &str = answer.get(2);
    let expected = example(name).iter().map(|byte| char::from(*byte)).collect::<String>().replace("300626", &day);
    let bytes: Vec<u8> = answer.get(3);
    assert_eq!(bytes.iter().map(|byte| char::from(*byte)).collect::<String>(), expected);
}
