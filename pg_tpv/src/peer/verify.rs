//! Follows hash chains of documents, which shows whether a document is missing or was changed.

use pgrx::prelude::*;
use tpv_core::hash_chain::{GENESIS, Hash, Link};
use uuid::Uuid;

use crate::postgres::sql;

/// Documents of a hash chain, in order. PostgreSQL calculates the hash of the body, so that no body
/// has to be read here. A document may have a second place, with the hash of the body that it had
/// there.
const PAGE: &str = r"
    select node_id, chain, chain_seq, doc_id, kind, business_date, prev_hash, content_hash,
      sha256(convert_to(body, 'UTF8')) = content_hash
    from wire.doc where (node_id, chain) = ($1, $2) and chain_seq > $3
    union all
    select node_id, chain, chain_seq, doc_id, kind, business_date, prev_hash, content_hash, true
    from sync.second_place where (node_id, chain) = ($1, $2) and chain_seq > $3
    order by chain_seq limit 5000";

/// Every hash chain that has a document or a head.
const CHAINS: &str = r"
    select coalesce(d.node_id, c.node_id), coalesce(d.chain, c.chain), c.head_seq, c.head_hash,
      coalesce(d.documents, 0)
    from (select node_id, chain, count(*) as documents from wire.doc group by 1, 2) d
    full join sync.hash_chain c on c.node_id = d.node_id and c.chain = d.chain
    order by 1, 2";

struct LinkedDocument {
    seq: i64,
    doc_id: Uuid,
    prev_hash: Vec<u8>,
    link: Hash,
    body_agrees: bool,
}

struct Walk {
    seq: i64,
    head: Hash,
    fault: Option<(i64, Option<Uuid>, &'static str)>,
}

/// One row for each hash chain, with the first broken link of those that are not intact.
#[pg_extern(volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the macro reads the columns from the type itself")]
pub fn verify_chains() -> TableIterator<
    'static,
    (
        name!(node_id, i32),
        name!(chain, String),
        name!(documents, i64),
        name!(head_seq, i64),
        name!(intact, bool),
        name!(broken_seq, Option<i64>),
        name!(broken_doc, Option<pgrx::Uuid>),
        name!(reason, Option<String>),
    ),
> {
    let chains = sql::rows(CHAINS, &[], |row| {
        let head: Option<Hash> = row.get::<Vec<u8>>(4).and_then(|hash| hash.try_into().ok());
        (row.must::<i32>(1), row.must::<String>(2), row.get::<i64>(3).zip(head), row.must::<i64>(5))
    });
    let rows: Vec<_> = chains
        .into_iter()
        .map(|(node_id, chain, head, documents)| {
            let mut walk = walk(node_id, &chain, (0, GENESIS), i64::MAX);
            if let (None, Some(head)) = (&walk.fault, head)
                && head != (walk.seq, walk.head)
            {
                let reason = "the hash chain does not end where the node says it does: documents are missing or added";
                walk.fault = Some((walk.seq.min(head.0) + 1, None, reason));
            }
            let (seq, doc, reason) = match walk.fault {
                Some((seq, doc, reason)) => (Some(seq), doc.map(sql::uuid), Some(reason.to_owned())),
                None => (None, None, None),
            };
            (node_id, chain, documents, walk.seq, reason.is_none(), seq, doc, reason)
        })
        .collect();
    TableIterator::new(rows)
}

/// Follows a hash chain of a peer from a document that was followed before, to a number or to where
/// it is broken. Where documents are missing it ends without a fault.
#[pg_extern(volatile, strict, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the macro reads the columns from the type itself")]
pub fn follow_hash_chain(
    node_id: i32,
    chain: &str,
    from_seq: i64,
    from_hash: &[u8],
    to_seq: i64,
) -> TableIterator<'static, (name!(seq, i64), name!(hash, Vec<u8>), name!(broken, Option<String>))> {
    let from_hash: Hash = from_hash.try_into().unwrap_or_else(|_| sql::broken("a hash does not have 32 bytes"));
    let walk = walk(node_id, chain, (from_seq, from_hash), to_seq);
    let broken = walk.fault.filter(|(seq, ..)| *seq <= walk.seq + 1).map(|(.., reason)| reason.to_owned());
    TableIterator::once((walk.seq, walk.head.to_vec(), broken))
}

/// Follows a hash chain to its end, to a number, or to its first fault.
fn walk(node_id: i32, chain: &str, (seq, head): (i64, Hash), to_seq: i64) -> Walk {
    let mut walk = Walk { seq, head, fault: None };
    loop {
        let page = sql::rows(PAGE, &[node_id.into(), chain.into(), walk.seq.into()], |row| {
            let (seq, doc_id, kind): (i64, Uuid, String) = (row.must(3), row.uuid(4), row.must(5));
            let (prev_hash, content_hash): (Vec<u8>, Vec<u8>) = (row.must(7), row.must(8));
            let link = Link {
                node_id,
                chain,
                chain_seq: seq,
                doc_id,
                kind: &kind,
                business_date: row.date(6),
                prev_hash: &prev_hash,
                content_hash: &content_hash,
            };
            let link = link.hash();
            LinkedDocument { seq, doc_id, prev_hash, link, body_agrees: row.must(9) }
        });
        if page.is_empty() {
            return walk;
        }
        for document in page {
            if document.seq > to_seq {
                return walk;
            }
            let reason = if document.seq != walk.seq + 1 {
                Some("a document is missing before it, or two have its number")
            } else if document.prev_hash != walk.head {
                Some("it does not name the document before it")
            } else if !document.body_agrees {
                Some("its body is not what its hash says")
            } else {
                None
            };
            if let Some(reason) = reason {
                walk.fault = Some((document.seq, Some(document.doc_id), reason));
                return walk;
            }
            (walk.seq, walk.head) = (document.seq, document.link);
        }
    }
}

extension_sql!(
    r#"
comment on function follow_hash_chain(integer, text, bigint, bytea, bigint) is
    'Follows a hash chain of a peer link by link, from a document that was followed before. Callers use sync.reconcile.';
comment on function verify_chains() is
    'Checks every document and every hash chain. Callers use wire.verify_chains, which runs as the owner of the tables.';
"#,
    name = "verify_comments",
    requires = [verify_chains, follow_hash_chain]
);
