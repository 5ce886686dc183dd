//! Writes documents. Each is appended to a hash chain; whoever has locked the head of a hash chain
//! may append to it.

use chrono::NaiveDate;
use pgrx::PgSqlErrorCode;
use tpv_core::document_kind::DocumentKind;
use tpv_core::hash_chain::{ChainName, Hash, Link, next_hlc, sha256};
use tpv_core::row_limits::check_document;
use uuid::Uuid;

use crate::node::clock::hlc_now;
use crate::postgres::{Refusal, sql};

/// A hash chain that this transaction has locked, and the documents that it is about to append.
#[derive(Debug)]
pub struct HashChain {
    node_id: i32,
    name: String,
    to_node: Option<i32>,
    head_seq: i64,
    head_hash: Hash,
    head_hlc: i64,
    appended: Vec<Appended>,
}

#[derive(Debug)]
struct Appended {
    doc_id: Uuid,
    business_date: NaiveDate,
    kind: DocumentKind,
    hlc: i64,
    seq: i64,
    prev_hash: Hash,
    body: String,
    content_hash: Hash,
}

const HEAD: &str =
    "select head_seq, head_hash, head_hlc from sync.hash_chain where node_id = $1 and chain = $2 for update";
const BEGIN: &str = "insert into sync.hash_chain (node_id, chain) values ($1, $2) on conflict do nothing";
const APPEND: &str = r"
    insert into wire.doc (node_id, doc_id, business_date, kind, to_node, hlc, schema_version, chain, chain_seq,
    prev_hash, body, content_hash)
    select $1, d.doc_id, d.business_date, d.kind, $12, d.hlc, d.schema_version, $2, d.seq, d.prev_hash, d.body, d.content_hash
    from unnest($3::uuid[], $4::date[], $5::text[], $6::integer[], $7::bigint[], $8::bigint[], $9::bytea[], $10::text[],
        $11::bytea[])
      as d (doc_id, business_date, kind, schema_version, hlc, seq, prev_hash, body, content_hash)
    order by d.seq";
const MOVE_HEAD: &str =
    "update sync.hash_chain set head_seq = $3, head_hash = $4, head_hlc = $5 where node_id = $1 and chain = $2";

const LIFE: &str = "select coalesce(max(life), 1) from sync.restored";

/// The life in which hash chains go on: 1 until the server was restored from a backup.
fn this_life() -> u32 {
    let life = sql::row(LIFE, &[], |row| row.must::<i32>(1)).unwrap_or(1);
    u32::try_from(life).unwrap_or(1)
}

impl HashChain {
    /// Locks a hash chain until the transaction ends. Documents of a chain that is addressed to a
    /// node are addressed to it, and no others.
    pub fn lock(node_id: i32, chain: ChainName<'_>) -> Self {
        loop {
            let life = this_life();
            let locked = Self::lock_named(node_id, ChainName { life, ..chain });
            // Whoever notices that this server was restored locks the heads of all chains.
            if this_life() == life {
                return locked;
            }
        }
    }

    fn lock_named(node_id: i32, chain: ChainName<'_>) -> Self {
        let written = chain.to_string();
        let name = written.as_str();
        let head = || sql::row(HEAD, &[node_id.into(), name.into()], |row| (row.must(1), row.hash(2), row.must(3)));
        let (head_seq, head_hash, head_hlc) = head()
            .or_else(|| {
                sql::execute(BEGIN, &[node_id.into(), name.into()]);
                head()
            })
            .unwrap_or_else(|| sql::broken("the head of a hash chain is gone"));
        let to_node = chain.addressee();
        Self { node_id, name: written, to_node, head_seq, head_hash, head_hlc, appended: Vec::new() }
    }

    /// Appends a document; it is written with the others by [`HashChain::write`].
    pub fn append(&mut self, kind: DocumentKind, business_date: NaiveDate, doc_id: Uuid, body: String) {
        if let Err(large) = check_document(kind.word(), &body) {
            // A whole document of this size is no receipt, and no reason; what is at fault is refused.
            Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, "the document is too large: ROW_TOO_LARGE")
                .because(large)
                .raise();
        }
        let content_hash = sha256(body.as_bytes());
        let prev_hash = self.head_hash;
        self.head_seq += 1;
        self.head_hlc = next_hlc(self.head_hlc, hlc_now());
        let link = Link {
            node_id: self.node_id,
            chain: &self.name,
            chain_seq: self.head_seq,
            doc_id,
            kind: kind.word(),
            business_date,
            prev_hash: &prev_hash,
            content_hash: &content_hash,
        };
        self.head_hash = link.hash();
        let (hlc, seq) = (self.head_hlc, self.head_seq);
        self.appended.push(Appended { doc_id, business_date, kind, hlc, seq, prev_hash, body, content_hash });
    }

    /// Writes what was appended, and the new head.
    pub fn write(self) {
        let docs = &self.appended;
        if docs.is_empty() {
            return;
        }
        let hash = |hash: &Hash| hash.to_vec();
        let written = sql::execute(
            APPEND,
            &[
                self.node_id.into(),
                self.name.as_str().into(),
                docs.iter().map(|doc| sql::uuid(doc.doc_id)).collect::<Vec<_>>().into(),
                docs.iter().map(|doc| sql::date(doc.business_date)).collect::<Vec<_>>().into(),
                docs.iter().map(|doc| doc.kind.word()).collect::<Vec<_>>().into(),
                docs.iter().map(|doc| doc.kind.schema_version()).collect::<Vec<_>>().into(),
                docs.iter().map(|doc| doc.hlc).collect::<Vec<_>>().into(),
                docs.iter().map(|doc| doc.seq).collect::<Vec<_>>().into(),
                docs.iter().map(|doc| hash(&doc.prev_hash)).collect::<Vec<_>>().into(),
                docs.iter().map(|doc| doc.body.as_str()).collect::<Vec<_>>().into(),
                docs.iter().map(|doc| hash(&doc.content_hash)).collect::<Vec<_>>().into(),
                self.to_node.into(),
            ],
        );
        if written != docs.len() {
            // sales.receipt_key has lost the key of a document that exists. To leave that document
            // out here would make a hole in the hash chain.
            sql::broken("a document to be written is there already; sales.rebuild_projections restores its key");
        }
        let head: Vec<u8> = hash(&self.head_hash);
        sql::execute(
            MOVE_HEAD,
            &[self.node_id.into(), self.name.as_str().into(), self.head_seq.into(), head.into(), self.head_hlc.into()],
        );
    }
}
