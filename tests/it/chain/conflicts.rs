//! What nodes write at the same time: all end alike, and what lost stays on record until somebody
//! decides.

use std::thread;

use crate::support::{ANA, HEADS, all_say, journals_are_whole, of_ana, refused, run, update_ana, with_ana};

/// One that two stores add.
const BOB: &str = "00000000-0000-7000-8000-0000000000bb";

#[test]
fn two_stores_that_edit_one_customer_agree_and_a_person_resolves_what_was_lost() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    run(
        &chain.stores[0],
        &[&update_ana("street = 'Rua 2', city = 'Porto', tags = '[\"old\", \"one\"]', consent = 'email'")],
    );
    run(&chain.stores[1], &[&update_ana("postcode = '46001', tags = '[\"old\", \"two\"]', consent = 'none'")]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();

    let addresses = ["(\"Rua 2\",28001,Porto)", "(\"Calle 1\",46001,Madrid)"];
    let address = all_say(&chain, &of_ana("row(street, postcode, city)"));
    assert!(addresses.contains(&address.as_str()), "an address of two halves: {address}");
    assert_eq!(all_say(&chain, &of_ana("consent")), "none");
    let tags = "select array_agg(tag order by tag)::text from party.customer, jsonb_array_elements_text(tags) tag";
    assert_eq!(all_say(&chain, tags), "{old,one,two}");
    let siblings =
        "select string_agg(column_name || ' ' || node_id, ', ' order by column_name, node_id) from sync.sibling";
    assert_eq!(all_say(&chain, siblings), "address 1, address 2, consent 1, consent 2");
    all_say(
        &chain,
        "select string_agg(concat(column_name, node_id, seq, value, chosen), ',' order by column_name, node_id) from sync.sibling",
    );

    let restore = "select sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling \
                   where not chosen and column_name = ";
    run(&chain.central, &[&format!("{restore} 'address'")]);
    assert_eq!(refused(&chain.stores[1], &format!("{restore} 'consent'")), "23514");
    let loosen = format!("select sync.loosen('party.customer', '{ANA}', 'consent', 'email', 'on her word')");
    run(&chain.stores[1], &[&loosen]);
    chain.converge().unwrap();
    let other = addresses[usize::from(address == addresses[0])];
    assert_eq!(all_say(&chain, &of_ana("row(street, postcode, city)")), other);
    assert_eq!(all_say(&chain, &of_ana("consent")), "email");
    assert_eq!(all_say(&chain, siblings), "");
    journals_are_whole(&chain);
}

/// One store removed a tag, another added one meanwhile: a union of the whole sets brought the
/// removed one back.
#[test]
fn a_tag_that_one_store_removed_does_not_come_back_because_another_added_one() {
    let chain = with_ana();
    run(&chain.central, &[&update_ana("tags = '[\"old\", \"both\"]'")]);
    chain.converge().unwrap();
    chain.cut(0).unwrap();
    run(
        &chain.stores[0],
        &[&update_ana("tags = '[\"both\"]'"), &update_ana("tags = '[]'"), &update_ana("tags = '[\"both\"]'")],
    );
    run(&chain.stores[1], &[&update_ana("tags = tags || '[\"new\"]'"), &update_ana("tags = tags - 'both'")]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    // S01 removed `old`, S02 added `new`. `both` was taken away by S02 and written again by S01: it
    // stays, on record.
    assert_eq!(all_say(&chain, &of_ana("tags")), "[\"both\", \"new\"]");
    let siblings = "select string_agg(concat_ws(' ', column_name, node_id, value, chosen), ', ' order by node_id) from sync.sibling";
    assert_eq!(all_say(&chain, siblings), "tags/both 1 true t, tags/both 2 false f");
    run(
        &chain.stores[1],
        &[
            "select sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling where not chosen",
        ],
    );
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("tags")), "[\"new\"]");
    assert_eq!(all_say(&chain, siblings), "");
    all_say(&chain, HEADS);
    journals_are_whole(&chain);
}

#[test]
fn a_customer_that_two_stores_create_and_delete_at_once_is_one_customer() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    let bob = |name: &str| format!("insert into party.customer (customer_id, name) values ('{BOB}', '{name}')");
    run(&chain.stores[0], &[&bob("Bob"), &update_ana("deleted = true"), &update_ana("deleted = false")]);
    run(&chain.stores[1], &[&bob("Rob"), &update_ana("deleted = true")]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, "select count(*)::text from party.customer"), "2");
    journals_are_whole(&chain);
}

#[test]
fn a_row_that_all_nodes_write_at_once_ends_alike_and_no_operation_is_lost_or_echoed() {
    const CHANGES: usize = 300;
    let chain = with_ana();
    let count = "select count(*) from wire.op";
    let before: i64 = chain.central.connect().unwrap().query_one(count, &[]).unwrap().get(0);
    thread::scope(|scope| {
        for (node, at) in chain.nodes().enumerate() {
            scope.spawn(move || {
                let mut dba = at.connect().unwrap();
                for n in 0..CHANGES {
                    // Each value is new, so that each update is a change. Each node has an order of
                    // columns.
                    let what = match (n * (2 * node + 1) + n / 7) % 6 {
                        0 => format!("name = 'n{node} {n}'"),
                        1 => format!("email = 'e{node} {n}', phone = 'p{node} {n}'"),
                        2 => format!("street = 's{node} {n}'"),
                        3 => format!("city = 'c{node} {n}', name = 'm{node} {n}'"),
                        4 => format!("tags = '[\"t{node} {n}\"]'"),
                        _ => format!("credit_limit = {node}{n:04}"),
                    };
                    dba.batch_execute(&update_ana(&what)).unwrap();
                }
            });
        }
    });
    chain.converge().unwrap();
    let after: i64 = chain.central.connect().unwrap().query_one(count, &[]).unwrap().get(0);
    assert_eq!(after - before, i64::try_from(3 * CHANGES).unwrap());
    all_say(&chain, "select md5(string_agg(t::text, ',' order by customer_id)) from party.customer t");
    all_say(&chain, "select string_agg(heads, ',' order by table_name, key) from sync.head");
    all_say(
        &chain,
        "select string_agg(concat(column_name, node_id, seq, value, chosen), ',' order by column_name, node_id, seq) from sync.sibling",
    );
    journals_are_whole(&chain);
}

#[test]
fn a_deletion_wins_against_an_edit_until_somebody_undeletes() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    run(&chain.stores[0], &[&update_ana("deleted = true")]);
    run(&chain.stores[1], &[&update_ana("name = 'Anna'")]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("deleted")), "true");
    run(&chain.stores[1], &[&update_ana("deleted = false")]);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("row(name, deleted)")), "(Anna,f)");
    assert_eq!(refused(&chain.stores[0], "delete from party.customer"), "42501");
    journals_are_whole(&chain);
}
