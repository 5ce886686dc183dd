//! Some receipts: their documents, the rows that these explain, and the rows that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use tpv_core::json::Value as Json;
use tpv_core::rebuild::{Differences, Rows, Values, differences};
use tpv_core::receipt::{ReceiptState, fold};
use uuid::Uuid;

use super::counts::{Counts, Projection};
use super::slice::{Keys, Slice};
use super::{number, text};
use crate::postgres::{DataFault, sql};
use crate::projection::receipt::{self, LINE, RECEIPT};
use crate::projection::{check, event};
use crate::wire::Document;

/// The name of a row of `sales.receipt_event`: the document.
pub type EventKey = (i32, Uuid);

/// One receipt.
#[derive(Debug, Default)]
pub struct OneReceipt {
    pub document: Option<Document>,
    /// Why the document cannot be projected.
    pub fault: Option<DataFault>,
    /// The documents about it.
    pub events: Vec<Document>,
    pub explained: Projected,
    pub there: Projected,
}

/// The rows about one receipt. There is at most one header, and one early event.
#[derive(Debug, Default)]
pub struct Projected {
    pub header: Rows<()>,
    pub lines: Rows<i32>,
    pub events: Rows<EventKey>,
    pub early: Rows<()>,
}

/// What has to be done about one receipt.
#[derive(Debug)]
pub struct Todo {
    pub header: Differences<()>,
    pub lines: Differences<i32>,
    pub events: Differences<EventKey>,
    pub early: Differences<()>,
}

impl OneReceipt {
    pub fn todo(&self) -> Todo {
        let (explained, there) = (&self.explained, &self.there);
        Todo {
            header: differences(&explained.header, &there.header),
            lines: differences(&explained.lines, &there.lines),
            events: differences(&explained.events, &there.events),
            early: differences(&explained.early, &there.early),
        }
    }

    /// The document of a row of `sales.receipt_event`.
    pub fn event(&self, (node_id, doc_id): EventKey) -> Option<&Document> {
        self.events.iter().find(|document| (document.node_id, document.doc_id) == (node_id, doc_id))
    }

    fn state(&self) -> ReceiptState {
        fold(self.events.iter().map(|document| (document.kind.as_str(), document.body.as_str())))
    }
}

impl Todo {
    fn is_empty(&self) -> bool {
        self.header.is_empty() && self.lines.is_empty() && self.events.is_empty() && self.early.is_empty()
    }

    pub fn count(&self) -> Counts {
        let mut counts = Counts::default();
        counts.add(Projection::Receipt, &self.header);
        counts.add(Projection::Line, &self.lines);
        counts.add(Projection::Event, &self.events);
        counts.add(Projection::EarlyEvent, &self.early);
        counts
    }
}

/// Some receipts of a slice.
pub struct Receipts {
    slice: Slice,
    pub all: BTreeMap<Uuid, OneReceipt>,
}

impl Receipts {
    /// Reads documents and rows. `about` are the documents of the slice about receipts; `refused`
    /// those that a table has refused, so that they explain nothing.
    pub fn read(slice: Slice, ids: &[Uuid], about: &BTreeMap<Uuid, Vec<Document>>, refused: &BTreeSet<Uuid>) -> Self {
        let all = ids.iter().map(|id| (*id, OneReceipt::default())).collect();
        let mut receipts = Self { slice, all };
        receipts.read_rows();
        receipts.read_documents(refused);
        receipts.read_events(about, refused);
        receipts.all.iter_mut().for_each(|(id, one)| explain(*id, one, refused));
        receipts
    }

    fn args(&self, ids: impl Iterator<Item = Uuid>) -> [sql::Arg<'static>; 2] {
        [self.slice.node_id.into(), ids.map(sql::uuid).collect::<Vec<_>>().into()]
    }

    fn read_rows(&mut self) {
        static HEADERS: LazyLock<String> = LazyLock::new(|| {
            let columns = text::columns_as_texts(&RECEIPT);
            format!("select receipt_id, {columns} from sales.receipt where node_id = $1 and receipt_id = any ($2)")
        });
        static LINES: LazyLock<String> = LazyLock::new(|| {
            let columns = text::columns_as_texts(&LINE);
            format!(
                "select receipt_id, {columns}, line_number from sales.receipt_line \
                 where node_id = $1 and receipt_id = any ($2)"
            )
        });
        const EVENTS: &str = r"
            select receipt_id, array[kind, hlc::text, body, to_char(business_date, 'YYYY-MM-DD')], doc_node, doc_id
            from sales.receipt_event where node_id = $1 and receipt_id = any ($2)";
        const EARLY: &str = "select receipt_id from sales.early_event where node_id = $1 and receipt_id = any ($2)";
        let args = self.args(self.all.keys().copied());
        for (id, values) in sql::rows(&HEADERS, &args, |row| (row.uuid(1), row.must::<Values>(2))) {
            self.at(id).there.header.insert((), values);
        }
        for (id, values, line) in sql::rows(&LINES, &args, |row| (row.uuid(1), row.must::<Values>(2), row.must(3))) {
            self.at(id).there.lines.insert(line, values);
        }
        let event = |row: &sql::Row<'_>| (row.uuid(1), row.must::<Values>(2), (row.must(3), row.uuid(4)));
        for (id, values, key) in sql::rows(EVENTS, &args, event) {
            self.at(id).there.events.insert(key, values);
        }
        for id in sql::rows(EARLY, &args, |row| row.uuid(1)) {
            self.at(id).there.early.insert((), Values::new());
        }
    }

    /// The document of a receipt is that of the slice. If its row has another date, the document of
    /// that date counts, if there is one: what was projected first stays.
    fn read_documents(&mut self, refused: &BTreeSet<Uuid>) {
        const HERE: &str = r"
            select node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, body, content_hash
            from wire.doc where node_id = $1 and doc_id = any ($2) and business_date = $3 and kind = 'receipt'";
        const ANYWHERE: &str = r"
            select node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, body, content_hash
            from wire.doc where node_id = $1 and doc_id = any ($2) and kind = 'receipt' order by business_date desc";
        let [node, ids] = self.args(self.all.keys().copied());
        for document in sql::rows(HERE, &[node, ids, self.slice.date.into()], Document::from_row) {
            let one = self.at(document.doc_id);
            one.document = Some(document);
        }
        let place = RECEIPT.columns.iter().position(|(name, _)| *name == "business_date").unwrap_or_default();
        let row_date = |one: &OneReceipt| one.there.header.get(&()).and_then(|values| values.get(place)?.clone());
        let date_of = |document: &Document| document.business_date.format("%Y-%m-%d").to_string();
        let is_elsewhere = |one: &OneReceipt| match &one.document {
            None => true,
            Some(document) => row_date(one).is_some_and(|date| date != date_of(document)),
        };
        let elsewhere: Vec<Uuid> = self
            .all
            .iter()
            .filter(|(id, one)| !refused.contains(*id) && is_elsewhere(one))
            .map(|(id, _)| *id)
            .collect();
        if elsewhere.is_empty() {
            return;
        }
        for document in sql::rows(ANYWHERE, &self.args(elsewhere.into_iter()), Document::from_row) {
            let one = self.at(document.doc_id);
            // The earliest comes last.
            if one.document.is_none() || row_date(one) == Some(date_of(&document)) {
                one.document = Some(document);
            }
        }
    }

    /// The documents about these receipts: those of the slice, and those whose rows are there.
    fn read_events(&mut self, about: &BTreeMap<Uuid, Vec<Document>>, refused: &BTreeSet<Uuid>) {
        const DOCUMENTS: &str = r"
            select node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, body, content_hash
            from wire.doc where node_id = $1 and doc_id = any ($2) and kind <> 'receipt'";
        for (id, one) in &mut self.all {
            one.events = about.get(id).cloned().unwrap_or_default();
        }
        let is_known = |one: &OneReceipt, key: &EventKey| one.event(*key).is_some();
        let others = self.all.values().flat_map(|one| one.there.events.keys().filter(move |key| !is_known(one, key)));
        let others: Vec<Uuid> =
            others.filter(|(node_id, _)| *node_id == self.slice.node_id).map(|(_, doc_id)| *doc_id).collect();
        if !others.is_empty() {
            for document in sql::rows(DOCUMENTS, &self.args(others.into_iter()), Document::from_row) {
                let receipt = check(&document).and_then(|_| event::about(&document));
                if let Some(one) = receipt.ok().and_then(|id| self.all.get_mut(&id)) {
                    one.events.push(document);
                }
            }
        }
        for one in self.all.values_mut() {
            one.events.retain(|document| !refused.contains(&document.doc_id));
        }
    }

    fn at(&mut self, id: Uuid) -> &mut OneReceipt {
        self.all.entry(id).or_default()
    }

    /// How many rows the documents explain.
    pub fn looked_at(&self) -> Counts {
        let mut counts = Counts::default();
        for one in self.all.values() {
            counts.of(Projection::Line).looked_at += one.explained.lines.len();
            counts.of(Projection::Event).looked_at += one.explained.events.len();
            counts.of(Projection::EarlyEvent).looked_at += one.explained.early.len();
        }
        counts
    }

    /// The receipts of the slice that cannot be projected, and why.
    pub fn faults(&self) -> impl Iterator<Item = (Document, DataFault)> {
        let faults = self.all.values().filter_map(|one| Some((one.document.clone()?, one.fault.clone()?)));
        faults.filter(|(document, _)| self.is_of_slice(document))
    }

    /// The receipts that are those of documents of another date.
    pub fn of_another_day(&self) -> impl Iterator<Item = Uuid> {
        let documents = self.all.values().filter_map(|one| one.document.as_ref());
        documents.filter(|document| !self.is_of_slice(document)).map(|document| document.doc_id)
    }

    fn is_of_slice(&self, document: &Document) -> bool {
        sql::date(document.business_date).to_pg_epoch_days() == self.slice.date.to_pg_epoch_days()
    }

    /// The receipts whose rows are not what documents say.
    pub fn different(&self) -> Vec<Uuid> {
        self.all.iter().filter(|(_, one)| !one.todo().is_empty()).map(|(id, _)| *id).collect()
    }

    pub fn differences(&self, id: Uuid) -> Counts {
        self.all.get(&id).map(|one| one.todo().count()).unwrap_or_default()
    }

    /// The rows of the arbiter that receipts of this node explain.
    pub fn keys(&self, keys: &mut Keys) {
        for one in self.all.values() {
            let is_sound = |document: &&Document| one.fault.is_none() && self.is_of_slice(document);
            if let Some(document) = one.document.as_ref().filter(is_sound) {
                number::explain(document, &one.state(), keys);
            }
        }
    }
}

/// Works out the rows that the documents of a receipt explain.
fn explain(id: Uuid, one: &mut OneReceipt, refused: &BTreeSet<Uuid>) {
    let mut explained = Projected::default();
    for document in &one.events {
        let values = [
            document.kind.clone(),
            document.hlc.to_string(),
            document.body.clone(),
            document.business_date.format("%Y-%m-%d").to_string(),
        ];
        explained.events.insert((document.node_id, document.doc_id), values.into_iter().map(Some).collect());
    }
    if let Some(document) = one.document.as_ref().filter(|_| !refused.contains(&id)) {
        match check(document).and_then(|_| receipt::read(document)) {
            Ok(sound) => {
                explained.header.insert((), with_state(text::texts(&RECEIPT, &sound.header()), &sound, &one.state()));
                explained.lines = sound.lines().map(|(number, row)| (number, text::texts(&LINE, &row))).collect();
            }
            Err(fault) => one.fault = Some(fault),
        }
    }
    if explained.header.is_empty() && !one.events.is_empty() {
        explained.early.insert((), Values::new());
    }
    one.explained = explained;
}

/// The header with what follows from the documents about the receipt.
fn with_state(mut header: Values, sound: &receipt::Sound<'_>, state: &ReceiptState) -> Values {
    let mut set = |column: &str, value: Option<String>| {
        if let Some(place) = RECEIPT.columns.iter().position(|(name, _)| *name == column) {
            header[place] = value;
        }
    };
    let hold = state.hold.as_ref();
    let flags = state.flags.iter().cloned().map(Json::String).collect();
    set("state", Some(state.state.word().to_owned()));
    set("first_outcome", Some(if hold.is_some() { "held" } else { "accepted" }.to_owned()));
    set("hold_code", hold.map(|hold| hold.code.clone()));
    set("hold_pointer", hold.map(|hold| hold.pointer.clone()));
    set("hold_detail", hold.map(|hold| hold.detail.clone()));
    set("flags", Some(Json::Array(flags).to_canonical()));
    if let Some(at) = state.printed_at {
        set("printed_at", Some(text::timestamp(at.naive_utc())));
        set("printed_local", Some(text::timestamp(sound.local(at))));
    }
    header
}
