//! `migrations/schema.sql` shows what is true: a dump of what the migrations make of an empty
//! database.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use tpv_lab::cluster::{Cluster, system_program};
use tpv_lab::machine::Lab;

/// Another version of PostgreSQL dumps the same database in other words.
const DUMPED_BY: i32 = 15;

const HEADER: &str = "\
-- What the migrations make of an empty database, to be read: pg_dump --schema-only of PostgreSQL 15,
-- without versions, the partitions of single months, the schema of pg_cron, and statements that say
-- again who owns an object. Nobody edits this file: it is written by
--     TPV_WRITE=1 ./tpv test it schema
-- and compared by the same test.
";

#[test]
fn the_schema_on_file_is_what_the_migrations_make() {
    let lab = Lab::open().unwrap();
    let cluster = Cluster::for_test(&lab).unwrap();
    let mut dba = cluster.connect().unwrap();
    let version: String = dba.query_one("show server_version_num", &[]).unwrap().get(0);
    let major = version.parse::<i32>().unwrap() / 10_000;
    if major != DUMPED_BY {
        // Not by a macro: what these print is kept back where a test passes.
        let what =
            format!("not compared: migrations/schema.sql is dumped by PostgreSQL {DUMPED_BY}, and this is {major}");
        writeln!(std::io::stderr(), "{what}").unwrap();
        return;
    }
    let mut dump = Command::new(system_program("pg_dump").unwrap());
    let output = dump.args(["--schema-only", "--dbname", &cluster.dba_url()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = HEADER.to_owned() + &to_be_read(&String::from_utf8(output.stdout).unwrap());

    let file = lab.checkout.join("migrations/schema.sql");
    if std::env::var_os("TPV_WRITE").is_some() {
        fs::write(&file, text).unwrap();
        return;
    }
    if fs::read_to_string(&file).unwrap() != text {
        let now = cluster.folder.join("schema.sql");
        fs::write(&now, text).unwrap();
        panic!("migrations/schema.sql differs; TPV_WRITE=1 ./tpv test it schema writes it anew\n{}", diff(&file, &now));
    }
}

/// A dump as a person reads it, without what differs from day to day or from one minor version to
/// the next.
fn to_be_read(dump: &str) -> String {
    let mut text = String::new();
    for object in dump.split("\n--\n-- Name: ").skip(1) {
        let (header, body) = object.split_once('\n').unwrap_or_default();
        if is_of_a_month(header) || header.contains("Schema: cron;") {
            continue;
        }
        let is_noise = |line: &str| {
            line.trim().is_empty()
                || line == "--"
                || line.ends_with(" OWNER TO tpv_owner;")
                || line.starts_with('\\')
                || line.starts_with("-- PostgreSQL database dump")
        };
        let lines: Vec<&str> = body.lines().filter(|line| !is_noise(line)).collect();
        // A comment or a grant names its object itself, and stands below it.
        if !(header.contains("Type: COMMENT;") || header.contains("Type: ACL;")) {
            text.push_str(&format!("\n-- {header}\n"));
        }
        text.extend(lines.iter().flat_map(|line| [line, "\n"]));
    }
    text
}

/// Whether an object belongs to a partition such as `doc_2026_11`.
fn is_of_a_month(header: &str) -> bool {
    header.match_indices("doc_20").any(|(at, _)| {
        let mut rest = header[at + "doc_".len()..].bytes();
        "dddd_dd"
            .bytes()
            .all(|wanted| rest.next().is_some_and(|it| if wanted == b'd' { it.is_ascii_digit() } else { it == wanted }))
    })
}

fn diff(file: &Path, now: &Path) -> String {
    let output = Command::new("diff").arg("-u").arg(file).arg(now).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
