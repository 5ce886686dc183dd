//! One slice: the rows of one node and one business date.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::datum::Date;
use tpv_core::document_kind::DocumentKind;
use tpv_core::rebuild::Rows;
use uuid::Uuid;

use crate::postgres::{DataFault, sql};
use crate::projection::{check, day_close, event};
use crate::wire::Document;

/// The rows of one node and one business date.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    pub node_id: i32,
    pub date: Date,
}

/// What the documents of a slice are, but for the bodies of receipts.
#[derive(Debug, Default)]
pub struct Documents {
    /// Ids of receipts.
    pub receipts: BTreeSet<Uuid>,
    /// Documents about a receipt, by that receipt.
    pub about: BTreeMap<Uuid, Vec<Document>>,
    /// Closings of the day.
    pub closings: Vec<Document>,
    /// Those that cannot be projected.
    pub faults: Vec<(Document, DataFault)>,
}

/// A key of the arbiter: terminal, printed date, series, number, variant in hexadecimal digits.
pub type Key = [String; 5];
pub type Keys = Rows<Key>;

/// What is known of a slice when all of it was compared.
#[derive(Debug, Default)]
pub struct Compared {
    /// Receipts that were not brought to what documents say: they were busy.
    pub busy: BTreeSet<Uuid>,
    /// Documents that a table refused.
    pub refused: BTreeSet<Uuid>,
    /// Receipts whose row is that of a document of another date, which has the same id.
    pub of_another_day: BTreeSet<Uuid>,
    /// The rows of the arbiter that the receipts explain.
    pub keys: Keys,
}

impl Slice {
    /// Reads the documents of the slice.
    pub fn documents(self) -> Documents {
        const RECEIPTS: &str =
            "select doc_id from wire.doc where node_id = $1 and business_date = $2 and kind = 'receipt'";
        let mut documents = Documents {
            receipts: sql::rows(RECEIPTS, &self.key(), |row| row.uuid(1)).into_iter().collect(),
            ..Documents::default()
        };
        for document in self.other_documents() {
            match check(&document) {
                Ok(DocumentKind::Receipt) => {}
                Ok(DocumentKind::DayClose) => match day_close::check(&document) {
                    Ok(()) => documents.closings.push(document),
                    Err(fault) => documents.faults.push((document, fault)),
                },
                Ok(_) => match event::about(&document) {
                    Ok(receipt) => documents.about.entry(receipt).or_default().push(document),
                    Err(fault) => documents.faults.push((document, fault)),
                },
                Err(fault) => documents.faults.push((document, fault)),
            }
        }
        documents
    }

    /// The documents of the slice that are no receipts.
    fn other_documents(self) -> Vec<Document> {
        const OTHERS: &str = r"
            select node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, body, content_hash
            from wire.doc where node_id = $1 and business_date = $2 and kind <> 'receipt'";
        sql::rows(OTHERS, &self.key(), Document::from_row)
    }

    /// The closings of the day that can be projected, as they are now.
    pub fn closings(self) -> Vec<Document> {
        let is_closing = |document: &Document| {
            matches!(check(document), Ok(DocumentKind::DayClose)) && day_close::check(document).is_ok()
        };
        self.other_documents().into_iter().filter(is_closing).collect()
    }

    /// Every receipt of which a document or a row of the slice speaks. A row of an event that has
    /// no date is no projection, and belongs to every slice of its node; so does what is listed as
    /// early, which is next to nothing.
    pub fn receipts(self, documents: &Documents) -> BTreeSet<Uuid> {
        const ROWS: &str = r"
            select receipt_id from sales.receipt where business_date = $2 and node_id = $1
            union
            select receipt_id from sales.receipt_line where business_date = $2 and node_id = $1
            union
            select receipt_id from sales.receipt_event where business_date = $2 and node_id = $1
            union
            select receipt_id from sales.receipt_event where business_date is null and node_id = $1
            union
            select receipt_id from sales.early_event where node_id = $1";
        let mut ids: BTreeSet<Uuid> = sql::rows(ROWS, &self.key(), |row| row.uuid(1)).into_iter().collect();
        ids.extend(&documents.receipts);
        ids.extend(documents.about.keys());
        ids
    }

    /// The two arguments of statements about a slice.
    pub fn key(self) -> [sql::Arg<'static>; 2] {
        [self.node_id.into(), self.date.into()]
    }
}
