//! The ways in which receipts come from a store to central, each with tables, a publication and a
//! subscription of its own.

/// One of the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Header and line rows by native replication, no trigger anywhere.
    Native,
    /// The same with the indexes that the projections have beside their primary keys.
    Indexed,
    /// As the first, with values in binary.
    Binary,
    /// A document by native replication, which a trigger in PL/pgSQL unfolds.
    Plpgsql,
    /// Header and line rows by pglogical.
    Pglogical,
    /// What this project does.
    Tpv,
    /// The same without the change log, so that nothing is summed up either.
    Unlogged,
}

impl Way {
    /// In the order of each round; the others are compared with the first.
    pub const ALL: [Self; 7] =
        [Self::Native, Self::Indexed, Self::Binary, Self::Plpgsql, Self::Pglogical, Self::Tpv, Self::Unlogged];

    /// Whether it is one of those that the aim is about.
    pub fn is_central(self) -> bool {
        matches!(self, Self::Native | Self::Indexed | Self::Tpv | Self::Unlogged)
    }

    /// Its name in the JSON, and of its schema, publication, subscription and slots.
    pub fn key(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Indexed => "native_indexed",
            Self::Binary => "native_binary",
            Self::Plpgsql => "plpgsql",
            Self::Pglogical => "pglogical",
            Self::Tpv => "tpv",
            Self::Unlogged => "tpv_without_change_log",
        }
    }

    /// Whether the receipts come as documents of tpv.
    pub fn is_tpv(self) -> bool {
        matches!(self, Self::Tpv | Self::Unlogged)
    }

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Indexed => "native, indexes",
            Self::Binary => "native, binary",
            Self::Plpgsql => "native, PL/pgSQL",
            Self::Pglogical => "pglogical",
            Self::Tpv => "tpv",
            Self::Unlogged => "tpv, no change log",
        }
    }

    /// What it does, for people.
    pub fn what(self) -> &'static str {
        match self {
            Self::Native => "header and line rows; primary keys only, no trigger, no check",
            Self::Indexed => "the same with the indexes that the projections have beside their keys",
            Self::Binary => "as the first with binary = true, as the two below that receive documents",
            Self::Plpgsql => "a document, unfolded by a trigger: repeat look-up, exception block, jsonb_to_recordset",
            Self::Pglogical => "header and line rows, primary keys only, conflict_resolution = last_update_wins",
            Self::Tpv => "wire.doc: sender, repeat and hash checked; receipt and lines with every constraint",
            Self::Unlogged => "the same without sync.touched, and nothing is summed up meanwhile",
        }
    }

    /// Its subscription at central.
    pub fn subscription(self) -> &'static str {
        match self {
            Self::Tpv | Self::Unlogged => "tpv_from_s01",
            other => other.key(),
        }
    }

    /// Its tables at both ends.
    pub fn tables(self) -> String {
        let rows = PLAIN.replace("SCHEMA", self.schema());
        match self {
            Self::Native | Self::Indexed | Self::Binary | Self::Pglogical => rows,
            Self::Plpgsql => rows + DOCUMENT,
            Self::Tpv | Self::Unlogged => String::new(),
        }
    }

    /// What central has beside the tables.
    pub fn at_central(self) -> &'static str {
        match self {
            Self::Plpgsql => UNFOLD,
            Self::Indexed => INDEXES,
            _ => "",
        }
    }

    /// The tables that the store offers.
    pub fn published(self) -> &'static str {
        match self {
            Self::Native => "native.receipt, native.receipt_line",
            Self::Indexed => "native_indexed.receipt, native_indexed.receipt_line",
            Self::Binary => "native_binary.receipt, native_binary.receipt_line",
            Self::Plpgsql => "plpgsql.doc",
            Self::Pglogical | Self::Tpv | Self::Unlogged => "",
        }
    }

    /// Writes the store's receipts of the ids in `bench.receipt` once more this way, so many a
    /// transaction.
    pub fn copy(self, together: usize) -> String {
        let insert = match self {
            Self::Native | Self::Indexed | Self::Binary | Self::Pglogical => ROWS.replace("SCHEMA", self.schema()),
            Self::Plpgsql => BODY.to_owned(),
            Self::Tpv | Self::Unlogged => return String::new(),
        };
        format!(
            "do $$ declare id uuid; n bigint := 0; begin \
             for id in select receipt_id from bench.receipt order by number loop {insert} \
             n := n + 1; if n % {together} = 0 then commit; end if; end loop; end $$"
        )
    }

    /// Takes away at central what came.
    pub fn empty(self) -> &'static str {
        match self {
            Self::Native => "truncate native.receipt, native.receipt_line",
            Self::Indexed => "truncate native_indexed.receipt, native_indexed.receipt_line",
            Self::Binary => "truncate native_binary.receipt, native_binary.receipt_line",
            Self::Plpgsql => "truncate plpgsql.doc, plpgsql.receipt, plpgsql.receipt_line",
            Self::Pglogical => "truncate pglogical_rows.receipt, pglogical_rows.receipt_line",
            Self::Tpv | Self::Unlogged => {
                "set pg_tpv.maintenance = on; truncate wire.doc, sales.receipt, sales.receipt_line, \
                 sales.receipt_event, sales.early_event; reset pg_tpv.maintenance"
            }
        }
    }

    /// Where its headers and lines are.
    pub fn schema(self) -> &'static str {
        match self {
            Self::Tpv | Self::Unlogged => "sales",
            // The extension has a schema of its own name.
            Self::Pglogical => "pglogical_rows",
            other => other.key(),
        }
    }
}

/// Of the columns and primary keys of the projections, and nothing more.
const PLAIN: &str = "
create schema SCHEMA;
create table SCHEMA.receipt (like sales.receipt);
create table SCHEMA.receipt_line (like sales.receipt_line);
alter table SCHEMA.receipt add primary key (node_id, receipt_id);
alter table SCHEMA.receipt_line add primary key (node_id, receipt_id, line_number);
";

const INDEXES: &str = "do $$ declare definition text; begin \
  for definition in select pg_get_indexdef(indexrelid) from pg_index where not indisprimary \
      and indrelid in ('sales.receipt'::regclass, 'sales.receipt_line'::regclass) loop \
    execute replace(definition, ' ON sales.', ' ON native_indexed.'); \
  end loop; end $$";

const ROWS: &str = "insert into SCHEMA.receipt select * from sales.receipt where node_id = 1 and receipt_id = id; \
    insert into SCHEMA.receipt_line select * from sales.receipt_line where node_id = 1 and receipt_id = id;";

const DOCUMENT: &str = "
create table plpgsql.doc (node_id integer, doc_id uuid, business_date date not null, body text not null,
  primary key (node_id, doc_id));
";

const BODY: &str = "insert into plpgsql.doc select r.node_id, r.receipt_id, r.business_date, \
    (to_jsonb(r) || jsonb_build_object('lines', (select jsonb_agg(to_jsonb(l) - array['node_id', 'receipt_id', 'business_date']) \
      from sales.receipt_line l where l.node_id = 1 and l.receipt_id = id)))::text \
    from sales.receipt r where r.node_id = 1 and r.receipt_id = id;";

const UNFOLD: &str = "
create function plpgsql.unfold() returns trigger language plpgsql as $$
declare
  body jsonb;
begin
  if exists (select from plpgsql.doc d where d.node_id = new.node_id and d.doc_id = new.doc_id) then
    return null;
  end if;
  begin
    body := new.body::jsonb;
    insert into plpgsql.receipt select * from jsonb_populate_record(null::plpgsql.receipt, body);
    insert into plpgsql.receipt_line (node_id, receipt_id, line_number, business_date, barcode, gtin14, description, price,
      quantity, tax_rate, total)
    select new.node_id, new.doc_id, l.line_number, new.business_date, l.barcode, l.gtin14, l.description, l.price, l.quantity,
      l.tax_rate, l.total
    from jsonb_to_recordset(body -> 'lines') as l (line_number integer, barcode text, gtin14 text, description text,
      price numeric, quantity numeric, tax_rate numeric, total numeric);
  exception when data_exception or integrity_constraint_violation then
    raise warning '%', sqlerrm;
  end;
  return new;
end $$;
create trigger unfold before insert on plpgsql.doc for each row execute function plpgsql.unfold();
alter table plpgsql.doc enable always trigger unfold;
";
