//! Policies, aliases and consent on a chain: whatever was decided where and when, all nodes end
//! alike.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use postgres::{IsolationLevel, Transaction};
use tpv_lab::chain::Chain;
use tpv_lab::wait::stop_at_the_latest;

use crate::support::{ANA, all_say, ana_is, journals_are_whole, of_ana, refused, run, until_at, update_ana, with_ana};

const SIBLINGS: &str = "select string_agg(concat_ws(' ', right(key, 2), column_name, node_id, seq, value, chosen), ', ' \
    order by key, column_name, node_id, seq) from sync.sibling";

/// Central sets the rule of a column.
fn policy(column: &str, rule: &str) -> String {
    format!(
        "insert into sync.policy (table_name, column_name, rule) values ('party.customer', '{column}', '{rule}') \
         on conflict (table_name, column_name) do update set rule = excluded.rule, deleted = false"
    )
}

/// Both stores and central write one column of Ana while S01 is away.
fn quarrel(chain: &Chain, column: &str) {
    chain.cut(0).unwrap();
    run(&chain.stores[0], &[&update_ana(&format!("{column} = 'of S01'"))]);
    run(&chain.stores[1], &[&update_ana(&format!("{column} = 'of store S02'"))]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
}

#[test]
fn the_owner_of_a_customer_wins_at_every_node() {
    let chain = with_ana();
    run(&chain.central, &[&policy("phone", "\"owner_wins\"")]);
    chain.converge().unwrap();
    quarrel(&chain, "phone");
    // Ana was added at S01, which wrote first.
    assert_eq!(all_say(&chain, &of_ana("row(phone, home_node_id)")), "(\"of S01\",1)");
    all_say(&chain, SIBLINGS);
    journals_are_whole(&chain);
}

/// One node merged before it knew the new policy, another one after.
#[test]
fn a_policy_that_changes_while_a_store_is_away_leaves_all_nodes_alike() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    run(&chain.stores[0], &[&update_ana("credit_limit = 1, consent = 'email'")]);
    run(&chain.stores[1], &[&update_ana("credit_limit = 2, consent = 'none'")]);
    until_at(&chain.central, &ana_is("consent = 'none'"));
    let rule = "update sync.policy set rule = '\"least\"' where table_name = 'party.customer' and column_name = 'credit_limit'";
    run(&chain.central, &[rule, "update sync.policy set deleted = true where column_name = 'consent'"]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("credit_limit")), "1.00");
    journals_are_whole(&chain);
}

const LONGEST: &str = "create function party.longest(heads jsonb) returns jsonb language sql immutable \
    set search_path = pg_catalog, pg_temp as $$ \
      select h -> 'value' from jsonb_array_elements(heads) h order by length(h ->> 'value') desc, (h ->> 'node_id')::integer limit 1 $$; \
    alter function party.longest(jsonb) owner to tpv_owner; \
    grant execute on function party.longest(jsonb) to tpv_apply";

/// The migration that brings the function reaches S02 last.
#[test]
fn a_policy_that_is_a_function_holds_at_every_node_once_it_has_it() {
    let chain = with_ana();
    run(&chain.central, &[LONGEST]);
    run(&chain.stores[0], &[LONGEST]);
    quarrel(&chain, "phone");
    run(&chain.central, &[&policy("phone", r#"{"rule": "custom", "function": "party.longest"}"#)]);
    until_at(&chain.stores[1], "select exists (select from sync.quarantine where code = 'UNKNOWN_FUNCTION')");
    quarrel(&chain, "email");
    run(&chain.stores[1], &[LONGEST, "select sync.replay_waiting()"]);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("phone")), "of store S02");
    all_say(&chain, SIBLINGS);
    assert_eq!(all_say(&chain, "select count(*)::text from sync.quarantine where resolved_at is null"), "0");
}

/// A merge that has read the old rule must not leave its choice behind the back of a new one.
#[test]
fn a_merge_waits_for_a_policy_that_is_just_changing() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    run(&chain.stores[0], &[&update_ana("phone = 'of S01'")]);
    run(&chain.stores[1], &[&update_ana("phone = 'of S02'")]);
    until_at(&chain.central, "select exists (select from party.customer where phone = 'of S02')");

    let mut dba = chain.central.connect().unwrap();
    let mut change = dba.transaction().unwrap();
    change.batch_execute(&policy("phone", "\"first_write\"")).unwrap();
    chain.mend(0).unwrap();
    until_at(
        &chain.central,
        "select exists (select from pg_locks l join pg_stat_activity a using (pid) \
         where l.relation = 'tpv_lock.merge'::regclass and not l.granted and a.backend_type like 'logical%')",
    );
    change.commit().unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("phone")), "of S01");
    all_say(&chain, SIBLINGS);
    journals_are_whole(&chain);
}

/// Sessions keep what they looked up about tables and rules: also one whose snapshot is older than
/// a change, which it hears of and does not see.
#[test]
fn a_session_that_stays_connected_follows_rules_and_columns_as_they_change() {
    let chain = with_ana();
    quarrel(&chain, "phone");
    let now = |session: &mut Transaction<'_>| -> String {
        let dry_run = "select value_now::text from sync.policy_dry_run('party.customer', 'phone', '\"last_write\"')";
        session.query_one(dry_run, &[]).unwrap().get(0)
    };
    let mut stays = chain.central.connect().unwrap();
    let first = now(&mut stays.transaction().unwrap());
    let mut old = stays.build_transaction().isolation_level(IsolationLevel::RepeatableRead).start().unwrap();
    old.execute("select count(*) from sync.policy", &[]).unwrap();
    run(&chain.central, &[&policy("phone", "\"first_write\"")]);
    assert_eq!(now(&mut old), first);
    old.commit().unwrap();
    assert_ne!(now(&mut stays.transaction().unwrap()), first);

    run(&chain.central, &["alter table party.customer add column nick text"]);
    stays.batch_execute(&update_ana("nick = 'An'")).unwrap();
    let written = "select patch from wire.op order by hlc desc limit 1";
    assert_eq!(stays.query_one(written, &[]).unwrap().get::<_, String>(0), r#"{"nick":"An"}"#);
}

/// A person resolves all conflicts with one statement, in an order of its own, while operations
/// about the same customers arrive in other orders.
#[test]
fn resolving_many_conflicts_at_once_does_not_deadlock_with_what_arrives() {
    const COLUMNS: [&str; 4] = ["phone", "street", "credit_limit", "email"];
    let chain = with_ana();
    run(&chain.stores[0], &["insert into party.customer (name) select 'c' || n from generate_series(1, 20) n"]);
    chain.converge().unwrap();
    chain.cut(0).unwrap();
    for (store, at) in chain.stores.iter().enumerate() {
        run(
            at,
            &[&format!(
                "update party.customer set phone = '{store}', street = '{store}', credit_limit = {store}, email = name || {store}"
            )],
        );
    }
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    assert_eq!(
        all_say(&chain, "select count(*)::text from sync.sibling where not chosen"),
        (21 * COLUMNS.len()).to_string()
    );

    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let _told = stop_at_the_latest(&stop);
        for (at, order) in chain.stores.iter().zip(["customer_id", "customer_id desc"]) {
            let stop = &stop;
            scope.spawn(move || {
                let mut dba = at.connect().unwrap();
                let all = format!(
                    "with row as materialized (select customer_id from party.customer order by {order} for update) \
                     update party.customer c set name = clock_timestamp()::text from row \
                     where c.customer_id = row.customer_id"
                );
                while !stop.load(Ordering::Relaxed) {
                    // A session and what arrives may deadlock over two rows, like any two sessions;
                    // this is not about them.
                    let _ = dba.batch_execute(&all);
                }
            });
        }
        let arrives = "select (select count(*) from wire.op where node_id = 1) > 100 and (select count(*) from wire.op where node_id = 2) > 100";
        until_at(&chain.central, arrives);
        for column in COLUMNS {
            let column = if column == "street" { "address" } else { column };
            let all = "select sync.resolve_conflict(table_name, key, column_name, node_id, seq) \
                       from (select * from sync.sibling where not chosen and column_name = $1 order by random()) s";
            let resolved = chain.central.connect().unwrap().query(all, &[&column]).unwrap();
            assert_eq!(resolved.len(), 21, "{column}");
        }
    });
    chain.converge().unwrap();
    let left = "select count(*)::text from sync.sibling where column_name <> 'name'";
    assert_eq!(all_say(&chain, left), "0");
    journals_are_whole(&chain);
}

#[test]
fn a_customer_that_two_stores_made_is_listed_everywhere_and_one_becomes_an_alias() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    let bob = |key: &str, name: &str, email: &str| {
        format!(
            "insert into party.customer (customer_id, name, email) values ('00000000-0000-7000-8000-0000000000{key}', '{name}', '{email}')"
        )
    };
    run(&chain.stores[0], &[&bob("b1", "Bob", "bob@example.org")]);
    run(&chain.stores[1], &[&bob("b2", "Robert", "Bob@Example.org")]);
    assert_eq!(refused(&chain.stores[1], &bob("b3", "Bert", "BOB@example.org")), "23505");
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    let listed = "select string_agg(concat_ws(' ', table_name, kind, keys, shared), ', ') from sync.duplicate";
    let key = |end: &str| format!("00000000-0000-7000-8000-0000000000{end}");
    assert_eq!(
        all_say(&chain, listed),
        format!("party.customer email {{{},{}}} {{\"email\": \"bob@example.org\"}}", key("b1"), key("b2"))
    );
    run(&chain.stores[1], &["select sync.make_alias(table_name, keys[2], keys[1]) from sync.duplicate"]);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, listed), "");
    let canonical = format!("select sync.canonical_key('party.customer', '{}')::text", key("b2"));
    assert_eq!(all_say(&chain, &canonical), key("b1"));

    // Two people resolve it in opposite ways at once: it is still one customer, everywhere the
    // same.
    chain.cut(0).unwrap();
    run(&chain.stores[1], &[&format!("select sync.make_alias('party.customer', '{}', null)", key("b2"))]);
    run(&chain.stores[0], &[&format!("select sync.make_alias('party.customer', '{}', '{}')", key("b1"), key("b2"))]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &canonical), key("b2"));
    assert_eq!(all_say(&chain, listed), "");
    journals_are_whole(&chain);
}

#[test]
fn consent_grows_stricter_everywhere_and_looser_only_on_the_customers_word() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    run(&chain.stores[0], &[&update_ana("consent = 'none'")]);
    run(&chain.stores[1], &[&update_ana("consent = 'email'")]);
    assert_eq!(refused(&chain.stores[1], &update_ana("consent = 'all'")), "23514");
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("consent")), "none");
    for node in chain.nodes() {
        assert_eq!(refused(node, &update_ana("consent = 'email'")), "23514", "at {}", node.node);
    }
    let loosen = format!("select sync.loosen('party.customer', '{ANA}', 'consent', 'all', 'she signed')");
    run(&chain.stores[1], &[&loosen]);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("consent")), "all");
    assert_eq!(all_say(&chain, SIBLINGS), "");
    journals_are_whole(&chain);
}
