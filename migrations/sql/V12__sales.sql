-- Purpose: receipts as projections of documents, the arbiter of identity, raw bytes, rejections,
--          and the calls of the watcher and of operators.
-- Limits:  receipt, receipt_line, receipt_event, early_event and day_close can be rebuilt from wire.doc
--          at any time, and receipt_key at its own store; terminal_tail, raw and rejected are local to
--          the store and cannot.
-- Undo:    drop the tables and functions of schema sales; wire.doc keeps the receipts, raw their
--          files.

-- Projections

create table sales.receipt (
  node_id          integer not null,
  receipt_id       uuid not null,
  business_date    date not null,
  terminal         text not null,
  department       text not null,
  series           text not null,
  receipt_number   text not null,
  printed_text     text not null,
  printed_local    timestamp not null,
  printed_at       timestamptz not null,
  recorded_at      timestamptz not null,
  line_count       integer not null,
  total            numeric(14,2) not null,
  lines_total      numeric(14,2) not null,
  total_difference numeric(14,2) not null,
  state            text not null check (state in ('accepted', 'held', 'released', 'voided')),
  first_outcome    text not null check (first_outcome in ('accepted', 'held')),
  hold_code        text,
  hold_pointer     text,
  hold_detail      text,
  flags            text[] not null,
  primary key (node_id, receipt_id)
);
create index receipt_business_date on sales.receipt (business_date, node_id);
-- Lists in schema own: those of a store, the newest first, are in the order of the key.
create index receipt_department on sales.receipt (node_id, department, receipt_id);
create index receipt_number on sales.receipt (node_id, receipt_number);
create index receipt_held on sales.receipt (node_id, receipt_id) where state = 'held';
comment on table sales.receipt is
  'Receipts of departments, one row each: a projection of documents of kind receipt and of the '
  'documents about them.';
comment on column sales.receipt.node_id is 'The store''s node.';
comment on column sales.receipt.receipt_id is 'The receipt, wire.doc.doc_id.';
comment on column sales.receipt.business_date is 'The business day it counts for.';
comment on column sales.receipt.terminal is 'The terminal that issued it.';
comment on column sales.receipt.department is 'Department code as printed.';
comment on column sales.receipt.series is 'Ticket series; empty when there is none.';
comment on column sales.receipt.receipt_number is 'Number as printed, receiptId.';
comment on column sales.receipt.printed_text is
  'The printed time in its one form: the store''s wall clock with its offset. The file in sales.raw '
  'has what the terminal wrote.';
comment on column sales.receipt.printed_local is 'The time it was printed on the store''s wall clock.';
comment on column sales.receipt.printed_at is 'The instant it was printed.';
comment on column sales.receipt.recorded_at is 'When the store''s database received it.';
comment on column sales.receipt.line_count is 'Number of lines.';
comment on column sales.receipt.total is 'Printed total with tax: what the customer saw.';
comment on column sales.receipt.lines_total is 'Sum of the lines.';
comment on column sales.receipt.total_difference is 'total - lines_total.';
comment on column sales.receipt.state is
  'accepted, held (waits for a person), released (was held, and a person released it), voided '
  '(also the ticket that undid another). Count accepted and released.';
comment on column sales.receipt.first_outcome is 'The answer to the first delivery: accepted or held.';
comment on column sales.receipt.hold_code is 'Why it was held; null when it was not.';
comment on column sales.receipt.hold_pointer is 'JSON pointer to the cause.';
comment on column sales.receipt.hold_detail is 'The reason as a sentence.';
comment on column sales.receipt.flags is
  'Codes of what was odd but no reason to hold it: ROUNDING, CHECK_DIGIT, ZERO_PRICE …';

create view sales.held with (security_invoker = true) as
  select node_id, receipt_id, receipt_number, series, terminal, department, business_date, printed_local, total, line_count,
         hold_code, hold_pointer, hold_detail, flags, recorded_at
    from sales.receipt
   where state = 'held';
comment on view sales.held is 'Receipts that wait for a person, who calls sales.release or sales.void.';

create table sales.receipt_line (
  node_id       integer not null,
  receipt_id    uuid not null,
  line_number   integer not null,
  business_date date not null,
  barcode       text not null,
  gtin14        text,
  description   text not null,
  price         numeric(14,4) not null,
  quantity      numeric(14,3),
  tax_rate      numeric(5,2),
  total         numeric(14,2) not null,
  primary key (node_id, receipt_id, line_number)
);
create index receipt_line_business_date on sales.receipt_line using brin (business_date);
comment on table sales.receipt_line is
  'Lines of receipts, a projection. Take the state of the receipt into account when counting.';
comment on column sales.receipt_line.node_id is 'The store''s node.';
comment on column sales.receipt_line.receipt_id is 'The receipt.';
comment on column sales.receipt_line.line_number is 'Place on the receipt, from 1.';
comment on column sales.receipt_line.business_date is 'Business date of the receipt.';
comment on column sales.receipt_line.barcode is 'Barcode as it was given.';
comment on column sales.receipt_line.gtin14 is
  'Its 14-digit form when it is a GTIN with a right check digit.';
comment on column sales.receipt_line.description is 'In full, without NUL characters.';
comment on column sales.receipt_line.price is 'Unit price with tax.';
comment on column sales.receipt_line.quantity is
  'Pieces or kilograms; negative when taken back; null when it has more decimals than this column '
  '(such a receipt is held).';
comment on column sales.receipt_line.tax_rate is 'Percent; null when the terminal did not say.';
comment on column sales.receipt_line.total is 'price × quantity, rounded half away from zero.';

-- A view of the lines. As a table it would add a twentieth to the time that receiving a receipt
-- takes, and hold nothing that the lines do not.
create view sales.receipt_tax with (security_invoker = true) as
  select t.node_id, t.receipt_id, t.business_date, t.tax_rate, t.total, t.net, t.total - t.net as tax
    from (
      select l.node_id, l.receipt_id, l.business_date, l.tax_rate, sum(l.total) as total,
             round(sum(l.total) * 100 / (100 + l.tax_rate), 2) as net
        from sales.receipt_line l
       group by l.node_id, l.receipt_id, l.business_date, l.tax_rate
    ) t;
comment on view sales.receipt_tax is
  'Receipts by tax rate. Prices include the tax, so the net amount is rounded, once for each '
  'rate. The totals of a receipt''s rows add up to its lines_total.';
comment on column sales.receipt_tax.node_id is 'The store''s node.';
comment on column sales.receipt_tax.receipt_id is 'The receipt.';
comment on column sales.receipt_tax.business_date is 'Business date of the receipt.';
comment on column sales.receipt_tax.tax_rate is 'Percent; null when the terminal did not say.';
comment on column sales.receipt_tax.total is 'Sum of the lines at that rate, with tax.';
comment on column sales.receipt_tax.net is
  'total without tax, rounded half away from zero; null when the rate is not known.';
comment on column sales.receipt_tax.tax is 'total - net.';

-- What a receipt does not say is worked out when somebody reads, and says so.
create view sales.line_tax with (security_invoker = true) as
  select l.node_id, l.receipt_id, l.line_number, l.business_date, l.total, t.rate as tax_rate, t.source as tax_source
    from sales.receipt_line l
    join sales.receipt r on r.node_id = l.node_id and r.receipt_id = l.receipt_id
    cross join lateral catalog.line_tax(l.node_id, r.department, l.barcode, l.tax_rate, l.business_date) t;
comment on view sales.line_tax is
  'The tax rate of each line: what the receipt says, else that of its product, else that of its '
  'department. Ask for a day or a receipt: each line is looked up in the catalog.';
comment on column sales.line_tax.node_id is 'The store''s node.';
comment on column sales.line_tax.receipt_id is 'The receipt.';
comment on column sales.line_tax.line_number is 'Place on the receipt, from 1.';
comment on column sales.line_tax.business_date is 'Business date of the receipt.';
comment on column sales.line_tax.total is 'Of the line, with tax.';
comment on column sales.line_tax.tax_rate is 'Percent; null when nobody says it.';
comment on column sales.line_tax.tax_source is
  'receipt: printed. product or department: guessed by the catalog, at the rate of the business date. '
  'unknown: nobody says it.';

create table sales.receipt_event (
  node_id       integer not null,
  receipt_id    uuid not null,
  doc_node      integer not null,
  doc_id        uuid not null,
  kind          text not null,
  hlc           bigint not null,
  body          text not null,
  business_date date,
  primary key (node_id, receipt_id, doc_node, doc_id)
);
create index receipt_event_business_date on sales.receipt_event using brin (business_date);
comment on table sales.receipt_event is
  'Documents about receipts after they were printed, a projection: intake, release, void, '
  'withdraw, render.';
comment on column sales.receipt_event.node_id is 'Node of the receipt.';
comment on column sales.receipt_event.receipt_id is 'The receipt.';
comment on column sales.receipt_event.doc_node is 'The node that wrote the document.';
comment on column sales.receipt_event.doc_id is 'The document.';
comment on column sales.receipt_event.kind is 'Its kind.';
comment on column sales.receipt_event.hlc is 'When it was recorded.';
comment on column sales.receipt_event.body is 'Its body: why, and by whom. It names no customer.';
comment on column sales.receipt_event.business_date is
  'Its business date. A row without one was added by hand; a rebuild of any day of its node removes it.';

create table sales.early_event (
  node_id    integer not null,
  receipt_id uuid not null,
  primary key (node_id, receipt_id)
) with (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
comment on table sales.early_event is
  'Receipts that are not here while documents about them are, a projection. It is almost always '
  'empty, and vacuumed at once, since every receipt that arrives asks whether it has a page.';
comment on column sales.early_event.node_id is 'Node of the receipt.';
comment on column sales.early_event.receipt_id is 'The receipt.';

create table sales.day_close (
  node_id       integer not null,
  business_date date not null,
  closed_at     timestamptz not null,
  primary key (node_id, business_date)
);
comment on table sales.day_close is
  'Business days that are closed, a projection. A receipt that comes later is late: it counts, and '
  'gets no .dat by itself.';
comment on column sales.day_close.node_id is 'The store''s node.';
comment on column sales.day_close.business_date is 'The day.';
comment on column sales.day_close.closed_at is 'When it was first closed.';

-- Local to the store

create table sales.receipt_key (
  terminal       text not null,
  printed_date   date not null,
  series         text not null,
  receipt_number text not null,
  variant        bytea not null default '',
  receipt_id     uuid not null,
  business_date  date not null,
  content_hash   bytea not null,
  first_outcome  text not null check (first_outcome in ('accepted', 'held')),
  flags          text[] not null default '{}',
  arrived_on     date,
  primary key (terminal, printed_date, series, receipt_number, variant)
);
create index receipt_key_business_date on sales.receipt_key using brin (business_date);
comment on table sales.receipt_key is
  'Which receipt has which number: it decides whether a receipt is new. At its own store only.';
comment on column sales.receipt_key.terminal is 'The terminal.';
comment on column sales.receipt_key.printed_date is 'The printed date on the store''s calendar.';
comment on column sales.receipt_key.series is 'Ticket series; empty when there is none.';
comment on column sales.receipt_key.receipt_number is 'The number as printed, receiptId.';
comment on column sales.receipt_key.variant is
  'Empty for the first; the content hash for others that claim the same number; the id where the '
  'printed date identifies nothing.';
comment on column sales.receipt_key.receipt_id is 'The receipt, wire.doc.doc_id.';
comment on column sales.receipt_key.business_date is 'Its business date, fixed at first acceptance.';
comment on column sales.receipt_key.content_hash is 'SHA-256 of its canonical form.';
comment on column sales.receipt_key.first_outcome is
  'The answer to the first delivery: accepted or held.';
comment on column sales.receipt_key.flags is 'The flags it was given then.';
comment on column sales.receipt_key.arrived_on is
  'The day of its first arrival, where the printed date is out of range and so identifies nothing; '
  'else null.';

create table sales.terminal_tail (
  terminal       text primary key,
  receipt_id     uuid not null,
  business_date  date not null,
  receipt_number text not null,
  printed_at     timestamptz not null
);
comment on table sales.terminal_tail is
  'The last receipt of each terminal. It shows whether the next one is a void ticket, and which of '
  'two equal hours is meant when clocks go back.';
comment on column sales.terminal_tail.terminal is 'The terminal.';
comment on column sales.terminal_tail.receipt_id is 'Its last receipt.';
comment on column sales.terminal_tail.business_date is 'Business date of that receipt.';
comment on column sales.terminal_tail.receipt_number is 'Number of that receipt.';
comment on column sales.terminal_tail.printed_at is 'When that receipt was printed.';

create table sales.raw (
  raw_id      bigint generated always as identity primary key,
  received_at timestamptz not null default clock_timestamp(),
  terminal    text not null,
  file_name   text,
  outcome     text not null,
  receipt_id  uuid,
  bytes       bytea not null
);
create index raw_receipt on sales.raw (receipt_id);
comment on table sales.raw is 'Every delivery as it came, repeated ones too.';
comment on column sales.raw.raw_id is 'Key, in order of arrival.';
comment on column sales.raw.received_at is 'When.';
comment on column sales.raw.terminal is 'Inbox it came from.';
comment on column sales.raw.file_name is 'Name of the file; null when the caller gave none.';
comment on column sales.raw.outcome is
  'The answer to it: accepted, duplicate or held. Refused files are in sales.rejected.';
comment on column sales.raw.receipt_id is 'The receipt.';
comment on column sales.raw.bytes is 'The file.';

create table sales.rejected (
  rejected_id bigint generated always as identity primary key,
  at          timestamptz not null default clock_timestamp(),
  terminal    text not null,
  file_name   text,
  size_bytes  bigint not null,
  sha256      bytea not null,
  code        text not null,
  pointer     text not null default '',
  detail      text not null,
  raw         bytea,
  -- A crash between this row and the move into quarantine repeats the call, and must not repeat the
  -- row.
  unique nulls not distinct (terminal, sha256, file_name)
);
comment on table sales.rejected is
  'Files that are no usable receipts, with the reason; the files themselves are in the quarantine '
  'folder too.';
comment on column sales.rejected.rejected_id is 'Key.';
comment on column sales.rejected.at is 'When it first came.';
comment on column sales.rejected.terminal is 'Inbox it came from.';
comment on column sales.rejected.file_name is 'Name of the file.';
comment on column sales.rejected.size_bytes is 'Size of the file.';
comment on column sales.rejected.sha256 is
  'SHA-256 of the file; the same bytes under the same name again add no row.';
comment on column sales.rejected.code is 'Stable code: TRUNCATED, DUP_KEY, TYPE …';
comment on column sales.rejected.pointer is 'JSON pointer to the fault; empty for the file as a whole.';
comment on column sales.rejected.detail is 'The reason as a sentence.';
comment on column sales.rejected.raw is 'The file; null when it is over the size limit.';

-- begin functions/sales/projection.sql
create or replace function sales.slices(node integer default null, from_date date default null, to_date date default null)
returns table (node_id integer, business_date date, documents bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select s.node_id, s.business_date, sum(s.documents)::bigint
    from (
      select d.node_id, d.business_date, count(*) as documents from wire.doc d
       where d.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
       group by 1, 2
      union all
      select r.node_id, r.business_date, 0 from sales.receipt r
       where r.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
       group by 1, 2
      union all
      select l.node_id, l.business_date, 0 from sales.receipt_line l
       where l.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
       group by 1, 2
      union all
      select e.node_id, e.business_date, 0 from sales.receipt_event e
       where e.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
       group by 1, 2
      union all
      select c.node_id, c.business_date, 0 from sales.day_close c
       where c.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
      union all
      select t.node_id, k.business_date, 0 from sync.this_node t cross join sales.receipt_key k
       where k.business_date between coalesce(slices.from_date, '-infinity') and coalesce(slices.to_date, 'infinity')
       group by 1, 2
      union all
      -- What has no date is looked at with any day of its node.
      select u.node_id, coalesce(slices.from_date, slices.to_date, current_date), 0
        from (select e.node_id from sales.early_event e
              union select e.node_id from sales.receipt_event e where e.business_date is null) u
    ) s
   where slices.node is null or s.node_id = slices.node
   group by 1, 2 order by 2, 1;
end;
comment on function sales.slices(integer, date, date) is
  'What sales.rebuild_projections goes through: each node and business date that has documents or rows, '
  'with how many documents there are. Null means all.';

create or replace function sales.rebuild_projections(node integer default null, from_date date default null,
  to_date date default null, dry_run boolean default false, most integer default null)
returns table (projection text, looked_at bigint, missing bigint, wrong bigint, unexplained bigint, busy bigint)
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select * from tpv.rebuild_projections(node, from_date, to_date, dry_run, most) $$;
comment on function sales.rebuild_projections(integer, date, date, boolean, integer) is
  'Compares the rows of these nodes and business dates with the documents, and writes only the '
  'differences: missing rows are added, wrong ones put right, and those that no document explains '
  'removed. Null means all. One transaction: tpv-migrate rebuild does it day by day. busy: left '
  'alone, since a session keeps the rows locked. most: writes at most so many receipts. dry_run: '
  'writes nothing.';
-- end functions/sales/projection.sql
-- begin functions/sales/ingest.sql
-- What the watcher calls. Its statements are planned once in a session, perhaps while the tables
-- are empty. Every look-up in them is by key, and has to stay one when the tables have grown.

create or replace function sales.ingest_files(terminal text, files bytea[], names text[])
returns table ("position" integer, outcome text, receipt_id uuid, dat_folder text, dat_name text, dat bytea,
               trigger_name text,
  first_outcome text, flags text[], code text, pointer text, detail text)
language sql security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off as
$$ select * from tpv.ingest_files(terminal, files, names) $$;
comment on function sales.ingest_files(text, bytea[], text[]) is
  'Receives files of one terminal: one answer for each, in their order. A fault of one file never '
  'touches another. At most 64 at a time. A name with a folder that is a day, 20261128/4711.json, '
  'says that the file is one of the archive, and arrived on that day.';

create or replace function sales.ingest_batch(terminal text, files bytea[])
returns table ("position" integer, outcome text, receipt_id uuid, dat_folder text, dat_name text, dat bytea,
               code text, pointer text, detail text)
language sql security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off as
$$ select "position", outcome, receipt_id, dat_folder, dat_name, dat, code, pointer, detail
     from tpv.ingest_files(terminal, files, null) $$;
comment on function sales.ingest_batch(text, bytea[]) is
  'Receives files of one terminal, for callers that know no file names: see sales.ingest_files.';

create or replace function sales.record_rejection(terminal text, file_name text, size_bytes bigint, sha256 bytea,
                                                  code text, detail text, raw bytea)
returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into sales.rejected (terminal, file_name, size_bytes, sha256, code, detail, raw)
  values (terminal, file_name, size_bytes, sha256, code, detail, raw)
  on conflict do nothing
$$;
comment on function sales.record_rejection(text, text, bigint, bytea, text, text, bytea) is
  'Records a file that the watcher itself refused: cut off, empty, too large. The same bytes under '
  'the same name are recorded once.';

grant execute on function sales.ingest_files(text, bytea[], text[]), sales.ingest_batch(text, bytea[]),
  sales.record_rejection(text, text, bigint, bytea, text, text, bytea) to tpv_watcher;
-- end functions/sales/ingest.sql
-- begin functions/sales/decide.sql
create or replace function sales.release(receipt_id uuid, why text, file_name text default null) returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.release_receipt(receipt_id, why, file_name) $$;
comment on function sales.release(uuid, text, text) is
  'Releases a held receipt: it counts, and its .dat is published. file_name replaces a name that '
  'is taken. The reason stays for ever and names no person.';

create or replace function sales.void(receipt_id uuid, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.void_receipt(receipt_id, why) $$;
comment on function sales.void(uuid, text) is
  'Voids a receipt: it does not count, and its .dat is withdrawn. Nothing undoes it; a void beats '
  'a release. The reason stays for ever and names no person.';

create or replace function sales.close_day(business_date date, why text default '') returns void
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.close_day(business_date, why) $$;
comment on function sales.close_day(date, text) is
  'Closes a business day of this store. A receipt of that day that arrives later counts, has the '
  'flag LATE, and gets no .dat by itself.';

grant execute on function sales.release(uuid, text, text), sales.void(uuid, text), sales.close_day(date, text) to tpv_operator;
-- end functions/sales/decide.sql

grant select on sales.receipt, sales.receipt_line, sales.receipt_tax, sales.line_tax, sales.day_close, sales.held
  to tpv_operator, tpv_analyst;
grant select on sales.receipt_event to tpv_operator;
-- Without the reasons that people wrote.
grant select (node_id, receipt_id, doc_node, doc_id, kind, hlc) on sales.receipt_event to tpv_analyst;
grant select on sales.receipt_key, sales.terminal_tail, sales.raw, sales.rejected to tpv_operator;
grant select, insert, update on sales.receipt, sales.receipt_line, sales.receipt_event, sales.day_close to tpv_apply;
grant select, insert, update, delete on sales.early_event to tpv_apply;
