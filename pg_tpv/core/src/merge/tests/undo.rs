use std::collections::BTreeSet;

use super::*;
use crate::json::Value;

/// All that store 2 wrote from its operation 5 on.
const STOLEN: WrittenSince = WrittenSince { node_id: 2, seq: 5 };

/// Nothing that is named is known to be a lie.
const NONE: BTreeSet<Version> = BTreeSet::new();

/// The phone as it is given the operations, and as it would be without those of the thief.
fn phone(operations: &[Operation]) -> (Vec<Version>, Option<Before>) {
    let entity = Entity::of(operations);
    let heads = entity.heads("phone");
    let stand: Vec<Version> = heads.iter().map(|head| head.version).filter(|version| STOLEN.covers(*version)).collect();
    let before = (!stand.is_empty()).then(|| Undo::of(operations, STOLEN, &NONE).before("phone", heads));
    (stand, before)
}

fn wrote(node_id: i32, seq: i64, base: &str) -> Operation {
    let base = if base.is_empty() { "{}".to_owned() } else { format!(r#"{{"phone":{base}}}"#) };
    operation(node_id, seq, seq, &format!(r#"{{"phone":"{node_id}.{seq}"}}"#), &base)
}

fn heads(before: Option<Before>) -> Vec<(i32, i64)> {
    match before {
        Some(Before::Heads(heads) | Before::Beside(heads)) => {
            heads.iter().map(|head| (head.version.node_id, head.version.seq)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_it_replaced_comes_back_from_behind_all_that_it_wrote() {
    let history = [wrote(1, 1, ""), wrote(2, 5, "[[1,1]]"), wrote(2, 6, "[[2,5]]")];
    assert_eq!(heads(phone(&history).1), [(1, 1)]);
    let own_of_before = [wrote(2, 4, ""), wrote(2, 5, "[[2,4]]")];
    assert_eq!(heads(phone(&own_of_before).1), [(2, 4)]);
    let of_two = [wrote(1, 1, ""), wrote(3, 1, ""), wrote(2, 5, "[[1,1],[3,1]]")];
    assert_eq!(heads(phone(&of_two).1), [(1, 1), (3, 1)], "the conflict of before");
}

#[test]
fn what_somebody_wrote_who_had_seen_it_stays() {
    let history = [wrote(1, 1, ""), wrote(2, 5, "[[1,1]]"), wrote(3, 1, "[[2,5]]")];
    assert_eq!(phone(&history), (vec![], None));
    let once_more = [&history[..], &[wrote(2, 6, "[[3,1]]")]].concat();
    assert_eq!(heads(phone(&once_more).1), [(3, 1)]);
}

#[test]
fn what_was_written_beside_it_stands_and_nothing_that_was_replaced_comes_back() {
    let beside = [wrote(1, 1, ""), wrote(3, 1, "[[1,1]]"), wrote(2, 5, "[[1,1]]")];
    assert_eq!(heads(phone(&beside).1), [(3, 1)]);
    let forged = [wrote(1, 1, ""), wrote(3, 1, "[[1,1]]"), wrote(3, 2, "[[3,1]]"), wrote(2, 5, "[[1,1],[9,9]]")];
    assert_eq!(heads(phone(&forged).1), [(3, 2)], "it names what it never saw");
}

#[test]
fn it_does_not_choose_which_old_value_comes_back() {
    // What had replaced 1.1 is not in the journal any more. Beside what stands, 1.1 stays away.
    let older = [wrote(1, 1, ""), wrote(3, 2, "[[3,1]]"), wrote(2, 5, "[[1,1]]")];
    let Some(Before::Beside(stands)) = phone(&older).1 else { panic!("{:?}", phone(&older)) };
    assert_eq!(stands.iter().map(|head| head.version.seq).collect::<Vec<_>>(), [2]);
    // Nor alone, when what it replaced is lost or was replaced by who is lost.
    assert_eq!(phone(&[wrote(1, 1, ""), wrote(2, 5, "[[1,1],[1,7]]")]).1, Some(Before::Unknown));
    let blanked = operation(3, 1, 3, r#"{"phone":"3.1"}"#, r#"{"phone":[[1,1]]}"#);
    let named =
        [wrote(1, 1, ""), blanked, wrote(2, 5, "[[1,1]]"), wrote(2, 6, "[[2,5],[3,1]]"), wrote(4, 1, "[[3,1]]")];
    let heads = [Head { version: Version { node_id: 2, seq: 6 }, hlc: 6, value: Value::Null }];
    assert_eq!(Undo::of(&named, STOLEN, &NONE).before("phone", &heads), Before::Unknown);
    // What is a lie counts for nothing.
    let lies = BTreeSet::from([Version { node_id: 1, seq: 7 }]);
    let history = [wrote(1, 1, ""), wrote(2, 5, "[[1,1],[1,7]]")];
    let entity = Entity::of(&history);
    let Before::Heads(_) = Undo::of(&history, STOLEN, &lies).before("phone", entity.heads("phone")) else { panic!() };
}

#[test]
fn what_nobody_had_written_or_nobody_knows_any_more_is_said() {
    assert_eq!(phone(&[wrote(2, 5, "")]).1, Some(Before::Nothing));
    assert_eq!(phone(&[wrote(2, 5, ""), wrote(2, 6, "[[2,5]]")]).1, Some(Before::Nothing));
    assert_eq!(phone(&[wrote(2, 5, "[[1,1]]")]).1, Some(Before::Unknown));
    assert_eq!(phone(&[wrote(2, 6, "[[2,5]]")]).1, Some(Before::Unknown));
}

fn exists(node_id: i32, seq: i64, base: &str) -> Operation {
    operation(node_id, seq, seq, r#"{"@exists":true}"#, &format!(r#"{{"@exists":{base}}}"#))
}

#[test]
fn a_row_is_made_by_it_if_nobody_else_made_it() {
    let is_made =
        |operations: &[Operation]| Undo::of(operations, STOLEN, &NONE).is_made(Entity::of(operations).heads(EXISTS));
    assert!(is_made(&[exists(2, 5, "[]"), wrote(1, 1, "")]));
    assert!(is_made(&[exists(2, 5, "[]"), exists(100, 9, "[[2,5]]")]), "central saw it");
    assert!(!is_made(&[exists(2, 4, "[]"), wrote(2, 5, "")]));
    assert!(!is_made(&[exists(1, 1, "[]"), exists(2, 5, "[]")]), "it says that it made what another had made");
    assert!(!is_made(&[exists(2, 5, "[]"), exists(1, 9, "[[1,1]]")]), "and how that was made has left the journal");
    assert!(!is_made(&[]));
    let lie = [exists(2, 5, "[[2,1]]")];
    assert!(!is_made(&lie));
    let known = BTreeSet::from([Version { node_id: 2, seq: 1 }]);
    assert!(Undo::of(&lie, STOLEN, &known).is_made(Entity::of(&lie).heads(EXISTS)), "it names what is of another row");
}
