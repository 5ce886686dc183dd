//! `docs/analyst.md` and `docs/dictionary.md`: what analysts are told is what they are answered.
//!
//! The page has the queries and, below each, what an analyst gets of three small stores
//! (`tests/sql/prelude/three_stores.sql`). The dictionary is made of the comments of schema `bi`.
//! `TPV_WRITE=1 ./tpv test it analyst` writes both anew.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use tpv_lab::cluster::Cluster;
use tpv_lab::machine::{Lab, run};

/// A copy of the migrated database, in which nothing runs on a schedule.
const DATABASE: &str = "shops";

#[test]
fn an_analyst_is_answered_what_the_page_says() {
    let lab = Lab::open().unwrap();
    let cluster = Cluster::for_test(&lab).unwrap();
    copy_database(&cluster);
    run(Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname"])
        .arg(cluster.url("postgres", DATABASE))
        .arg("--file")
        .arg(lab.checkout.join("tests/sql/prelude/three_stores.sql")))
    .unwrap();
    let file = lab.checkout.join("docs/analyst.md");
    let page = fs::read_to_string(&file).unwrap();

    // The login is made as the page tells the DBA to.
    let (_, from_login) = page.split_once("```\ncreate role ana ").unwrap();
    let (login, _) = from_login.split_once("```").unwrap();
    let statements = format!("create role ana {}", login.replace("database tpv", &format!("database {DATABASE}")));
    cluster.connect_as("postgres", "postgres").unwrap().batch_execute(&statements).unwrap();
    let mut ana = cluster.connect_as("ana", DATABASE).unwrap();
    let limits = "select current_setting('statement_timeout') || ' ' || current_setting('transaction_read_only') || ' ' \
        || (select is_limited from bi.analyst_login where login = 'ana')";
    assert_eq!(ana.query_one(limits, &[]).unwrap().get::<_, String>(0), "1min on true");

    let answered = with_answers(&page, |query| answer(&cluster, query));
    assert_eq!(answered.matches("\n### ").count(), 20, "there are twenty questions");
    assert_eq!(answered.matches("\n```sql\n").count(), 20, "and a query for each");
    compare_or_write(&file, &page, &answered);
}

#[test]
fn the_dictionary_of_analysts_is_what_the_comments_say() {
    let lab = Lab::open().unwrap();
    let cluster = Cluster::for_test(&lab).unwrap();
    let file = lab.checkout.join("docs/dictionary.md");
    let before = fs::read_to_string(&file).unwrap_or_default();
    compare_or_write(&file, &before, &dictionary(&cluster));
}

/// `create database` wants the original without sessions, and pg_cron keeps one open.
fn copy_database(cluster: &Cluster) {
    let mut maintenance = cluster.connect_as("postgres", "postgres").unwrap();
    for statement in [
        "alter database tpv with allow_connections false".to_owned(),
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'tpv'".to_owned(),
        format!("create database {DATABASE} template tpv"),
    ] {
        maintenance.batch_execute(&statement).unwrap();
    }
}

/// What psql prints for an analyst.
fn answer(cluster: &Cluster, query: &str) -> String {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--pset=pager=off", "--dbname"])
        .arg(cluster.url("ana", DATABASE))
        .arg("--command")
        .arg(query)
        .env("PGTZ", "UTC")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let (rows, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{query}\n{errors}");
    rows.trim_end().lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// The page with the answer below each query, in place of the one that is there.
fn with_answers(page: &str, answer: impl Fn(&str) -> String) -> String {
    let mut parts = page.split("```sql\n");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (query, rest) = part.split_once("```\n").unwrap();
        let rest = rest.strip_prefix("\n```text\n").map_or(rest, |old| old.split_once("```\n").unwrap().1);
        write!(text, "```sql\n{query}```\n\n```text\n{}```\n{rest}", answer(query)).unwrap();
    }
    text
}

const DICTIONARY: &str = "\
# Data dictionary

The views of schema `bi`, with what each row and each column means. Nobody edits this page: it is made of
the comments in the database by `TPV_WRITE=1 ./tpv test it analyst`, and compared by the same test.
[analyst.md](analyst.md) says which view answers which question.
";

fn dictionary(cluster: &Cluster) -> String {
    let views = "select c.relname::text, replace(obj_description(c.oid, 'pg_class'), '|', '\\|') \
        from pg_class c where c.relnamespace = 'bi'::regnamespace and c.relkind = 'v' order by c.relname";
    let columns = "select a.attname::text, format_type(a.atttypid, a.atttypmod), replace(col_description(a.attrelid, a.attnum), '|', '\\|') \
        from pg_attribute a where a.attrelid = format('bi.%I', $1::text)::regclass and a.attnum > 0 and not a.attisdropped \
        order by a.attnum";
    let mut dba = cluster.connect().unwrap();
    let views: Vec<(String, String)> =
        dba.query(views, &[]).unwrap().iter().map(|view| (view.get(0), view.get(1))).collect();
    let mut text = DICTIONARY.to_owned();
    text.push_str("\n| view | what it is |\n| --- | --- |\n");
    for (name, meaning) in &views {
        let (first, _) = meaning.split_once(" Grain: ").unwrap();
        writeln!(text, "| [bi.{name}](#bi{name}) | {first} |").unwrap();
    }
    for (name, meaning) in views {
        write!(text, "\n## bi.{name}\n\n{meaning}\n\n| column | type | meaning |\n| --- | --- | --- |\n").unwrap();
        for column in dba.query(columns, &[&name]).unwrap() {
            let (name, kind, meaning): (String, String, String) = (column.get(0), column.get(1), column.get(2));
            writeln!(text, "| `{name}` | {kind} | {meaning} |").unwrap();
        }
    }
    text
}

#[track_caller]
fn compare_or_write(file: &std::path::Path, before: &str, now: &str) {
    if std::env::var_os("TPV_WRITE").is_some() {
        fs::write(file, now).unwrap();
        return;
    }
    let differs = before.lines().zip(now.lines()).find(|(old, new)| old != new);
    assert!(
        before == now,
        "{} differs; TPV_WRITE=1 ./tpv test it analyst writes it anew, and the change is to be understood: {differs:#?}",
        file.display()
    );
}
