-- Purpose: the change log (what changed on this node, numbered in the order in which it was seen) and the
--          sums behind it: roll-ups by business day, which the fold recomputes.
-- Limits:  local, never replicated; every node sums what it has. Sums follow within seconds; rollup.until
--          says up to when they are complete. Item sums say nothing of stock yet.
-- Undo:    drop schema rollup, sync.touched, sync.change and the triggers _950_touched.

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'tpv_fold') then
    raise exception 'role tpv_fold is missing'
      using hint = 'A superuser runs what tpv-migrate bootstrap-sql prints, again after each update.';
  end if;
  execute format('grant connect on database %I to tpv_fold', current_database());
end $$;

-- Whatever is projected from here on waits until this is committed, and then notes it. What was projected before is summed up
-- below.
lock table sales.receipt, sales.receipt_line, sales.receipt_event, sales.day_close in share row exclusive mode;

create table sync.touched (
  at            timestamptz not null,
  entity        text not null,
  node_id       integer,
  key           uuid,
  business_date date,
  department    text
) with (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_insert_threshold = -1,
        autovacuum_analyze_threshold = 1000000);
comment on table sync.touched is
  'What changed and was not numbered yet: a row for each projected document and each change of a tracked '
  'row. Without a key or an index, so that a receipt costs next to nothing more; the fold empties it.';
comment on column sync.touched.at is 'Start of the transaction that changed it.';
comment on column sync.touched.entity is
  'Table of what changed: sales.receipt, sales.day_close, or a tracked table; rollup.bucket where only sums are to be made anew.';
comment on column sync.touched.node_id is 'The store''s node; null for a tracked table.';
comment on column sync.touched.key is 'The receipt, or the key of the tracked row.';
comment on column sync.touched.business_date is 'Of a closed day; of a receipt only where its row is gone or was of another day.';
comment on column sync.touched.department is 'The department then.';

create table sync.change_head (
  only_one boolean primary key default true check (only_one),
  pos      bigint not null,
  round    bigint not null,
  round_at timestamptz
);
insert into sync.change_head (pos, round) values (0, 0);
comment on table sync.change_head is 'How far the fold has counted; one row.';
comment on column sync.change_head.only_one is 'Key.';
comment on column sync.change_head.pos is 'The last position that was given, also when its row was removed since.';
comment on column sync.change_head.round is 'How often the fold has found something in sync.touched.';
comment on column sync.change_head.round_at is 'When it found something last.';

create table sync.change (
  pos           bigint primary key,
  at            timestamptz not null,
  entity        text not null,
  node_id       integer,
  key           uuid,
  business_date date
);
create index change_at on sync.change using brin (at);
comment on table sync.change is
  'The change log: what changed on this node, in the order in which it was seen. One writer numbers what is '
  'already committed, so that whoever reads on from a position skips nothing. Rows leave after pg_tpv.keep_changes.';
comment on column sync.change.pos is
  'Position, without a gap. A server that is restored from a backup gives later ones again: whoever followed begins anew.';
comment on column sync.change.at is 'When it was numbered.';
comment on column sync.change.entity is 'Table of what changed: sales.receipt, sales.day_close, or a tracked table.';
comment on column sync.change.node_id is 'The store''s node; null for a tracked table.';
comment on column sync.change.key is 'The receipt, or the key of the tracked row; null for a closed day.';
comment on column sync.change.business_date is 'The business day of a receipt or of a close; null for a tracked table.';

create table tpv_lock.fold ();
comment on table tpv_lock.fold is 'One session at a time numbers changes and writes roll-ups.';

create schema rollup;
comment on schema rollup is
  'Sums by business day, which follow within seconds of what they sum up. Local, and rebuilt by rollup.rebuild. '
  'Analysts read them through schema bi.';

create table rollup.due (
  node_id       integer not null,
  business_date date not null,
  department    text not null,
  round         bigint not null,
  due_at        timestamptz not null,
  failed        text,
  primary key (node_id, business_date, department)
) with (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
create index due_at on rollup.due (due_at);
comment on table rollup.due is 'Buckets (a store''s business day and department) that are to be summed up again.';
comment on column rollup.due.node_id is 'The store''s node.';
comment on column rollup.due.business_date is 'The business day.';
comment on column rollup.due.department is 'The department.';
comment on column rollup.due.round is 'The first round in which it was touched.';
comment on column rollup.due.due_at is 'Not before this.';
comment on column rollup.due.failed is 'Why it could not be summed up the last time; it is tried again each minute.';

create table rollup.bucket (
  node_id       integer not null,
  business_date date not null,
  department    text not null,
  receipts      integer not null,
  lines         integer not null,
  guessed_lines integer not null,
  is_closed     boolean not null,
  computed_at   timestamptz not null,
  primary key (business_date, node_id, department)
);
comment on table rollup.bucket is 'The buckets that are summed up: a store''s business day and department.';
comment on column rollup.bucket.node_id is 'The store''s node.';
comment on column rollup.bucket.business_date is 'The business day.';
comment on column rollup.bucket.department is 'The department.';
comment on column rollup.bucket.receipts is 'Receipts in all states.';
comment on column rollup.bucket.lines is 'Their lines.';
comment on column rollup.bucket.guessed_lines is 'Lines that say no tax rate, so that the catalog was asked.';
comment on column rollup.bucket.is_closed is 'Whether the day was closed when this was summed up.';
comment on column rollup.bucket.computed_at is 'When it was summed up last.';

create table rollup.sales_hour (
  node_id       integer not null,
  business_date date not null,
  department    text not null,
  hour          smallint not null,
  tickets       integer not null,
  voided        integer not null,
  lines         integer not null,
  units         bigint not null,
  gross         numeric(20,2) not null,
  net           numeric(20,2) not null,
  tax           numeric(20,2) not null,
  guessed_tax   numeric(20,2) not null,
  without_rate  numeric(20,2) not null,
  primary key (business_date, node_id, department, hour)
);
comment on table rollup.sales_hour is 'Sales by hour and department. gross = net + tax + without_rate.';
comment on column rollup.sales_hour.node_id is 'The store''s node.';
comment on column rollup.sales_hour.business_date is 'The business day.';
comment on column rollup.sales_hour.department is 'The department.';
comment on column rollup.sales_hour.hour is 'Hour of the store''s wall clock when it was printed, 0 to 23.';
comment on column rollup.sales_hour.tickets is 'Receipts that count: accepted and released.';
comment on column rollup.sales_hour.voided is 'Receipts that are voided, with the tickets that undid others. They count in no other column.';
comment on column rollup.sales_hour.lines is 'Lines of receipts that count.';
comment on column rollup.sales_hour.units is
  'Pieces; a line with a broken quantity (weighed) is one. What was taken back counts below zero.';
comment on column rollup.sales_hour.gross is 'Sum of the lines, with tax.';
comment on column rollup.sales_hour.net is
  'Without tax: for each receipt and tax rate the sum of its lines * 100 / (100 + rate), rounded half away from zero to cents.';
comment on column rollup.sales_hour.tax is 'The tax in it.';
comment on column rollup.sales_hour.guessed_tax is 'The part of tax whose rate the receipts do not say, so that the catalog was asked.';
comment on column rollup.sales_hour.without_rate is 'Sum of the lines, with tax, whose rate nobody says. No part of net and tax.';

create table rollup.item_day (
  node_id       integer not null,
  business_date date not null,
  department    text not null,
  item          text not null,
  lines         integer not null,
  sold          numeric(20,3) not null,
  returned      numeric(20,3) not null,
  gross         numeric(20,2) not null,
  net           numeric(20,2) not null,
  without_rate  numeric(20,2) not null,
  primary key (node_id, department, item, business_date)
);
create index item_day_business_date on rollup.item_day (business_date, node_id, department);
comment on table rollup.item_day is 'Sales by item and day, of receipts that count.';
comment on column rollup.item_day.node_id is 'The store''s node.';
comment on column rollup.item_day.business_date is 'The business day.';
comment on column rollup.item_day.department is 'The department.';
comment on column rollup.item_day.item is
  'What was sold: a GTIN of 14 digits; R: and the digits of a restricted number; else L:<department>:<code>.';
comment on column rollup.item_day.lines is 'Lines.';
comment on column rollup.item_day.sold is 'Sum of the quantities above zero: pieces or kilograms.';
comment on column rollup.item_day.returned is 'Sum of the quantities below zero, as a number above it.';
comment on column rollup.item_day.gross is 'Sum of the lines, with tax.';
comment on column rollup.item_day.net is
  'Without tax: for each tax rate the sum of the day''s lines * 100 / (100 + rate), rounded once. It may differ by cents from '
  'what receipts add up to, which are rounded one by one.';
comment on column rollup.item_day.without_rate is 'Sum of the lines, with tax, whose rate nobody says. No part of net.';

create table rollup.item (
  node_id     integer not null,
  department  text not null,
  item        text not null,
  barcode     text not null,
  description text not null,
  first_on    date not null,
  last_on     date not null,
  guessed     boolean not null default false,
  primary key (node_id, department, item)
);
create index item_item on rollup.item (item);
create index item_barcode on rollup.item (btrim(barcode));
comment on table rollup.item is 'Items that were on a receipt, in whatever state, as the last one says it.';
comment on column rollup.item.node_id is 'The store''s node.';
comment on column rollup.item.department is 'The department.';
comment on column rollup.item.item is 'The item, as in rollup.item_day.';
comment on column rollup.item.barcode is 'The code on the last receipt of last_on.';
comment on column rollup.item.description is 'The description there.';
comment on column rollup.item.first_on is 'First business day.';
comment on column rollup.item.last_on is 'Last business day.';
comment on column rollup.item.guessed is
  'Whether some receipt did not say its tax rate, so that its days are summed up again when the catalog says another one.';

create table rollup.tax_day (
  node_id       integer not null,
  business_date date not null,
  department    text not null,
  tax_rate      numeric(5,2),
  source        text not null check (source in ('receipt', 'product', 'department', 'unknown')),
  receipts      integer not null,
  lines         integer not null,
  gross         numeric(20,2) not null,
  net           numeric(20,2) not null,
  tax           numeric(20,2) not null,
  unique nulls not distinct (business_date, node_id, department, tax_rate, source)
);
comment on table rollup.tax_day is 'Sales by tax rate and day, of receipts that count.';
comment on column rollup.tax_day.node_id is 'The store''s node.';
comment on column rollup.tax_day.business_date is 'The business day.';
comment on column rollup.tax_day.department is 'The department.';
comment on column rollup.tax_day.tax_rate is 'Percent; null when nobody says it.';
comment on column rollup.tax_day.source is
  'Who says the rate: receipt (it was printed), product or department (the catalog, at the business day), unknown (nobody).';
comment on column rollup.tax_day.receipts is 'Receipts with lines of that rate.';
comment on column rollup.tax_day.lines is 'Lines.';
comment on column rollup.tax_day.gross is 'Sum of the lines, with tax.';
comment on column rollup.tax_day.net is
  'Without tax: for each receipt the sum of these lines * 100 / (100 + rate), rounded half away from zero to cents; 0 '
  'without a rate. Where a receipt prints a rate on some lines and others are guessed to have it, their sum is rounded, '
  'and the guessed lines have what the printed ones leave of it.';
comment on column rollup.tax_day.tax is 'gross - net; 0 without a rate.';

create table rollup.terminal_day (
  node_id        integer not null,
  business_date  date not null,
  department     text not null,
  terminal       text not null,
  accepted       integer not null,
  released       integer not null,
  held           integer not null,
  voided         integer not null,
  late           integer not null,
  lines          integer not null,
  gross          numeric(20,2) not null,
  net            numeric(20,2) not null,
  tax            numeric(20,2) not null,
  without_rate   numeric(20,2) not null,
  held_total     numeric(20,2) not null,
  voided_total   numeric(20,2) not null,
  waited_seconds bigint not null,
  waited_most    integer not null,
  primary key (business_date, node_id, department, terminal)
);
comment on table rollup.terminal_day is 'Receipts of a terminal by day and state. Those that count are accepted + released.';
comment on column rollup.terminal_day.node_id is 'The store''s node.';
comment on column rollup.terminal_day.business_date is 'The business day.';
comment on column rollup.terminal_day.department is 'The department.';
comment on column rollup.terminal_day.terminal is 'The terminal.';
comment on column rollup.terminal_day.accepted is 'Receipts that count and never waited.';
comment on column rollup.terminal_day.released is 'Receipts that count, after a person released them.';
comment on column rollup.terminal_day.held is 'Receipts that wait for a person.';
comment on column rollup.terminal_day.voided is 'Receipts that are voided, with the tickets that undid others.';
comment on column rollup.terminal_day.late is 'Receipts with the flag LATE, in whatever state.';
comment on column rollup.terminal_day.lines is 'Lines of receipts that count.';
comment on column rollup.terminal_day.gross is 'Of those that count: the sum of their lines, with tax.';
comment on column rollup.terminal_day.net is 'Of those that count: without tax, as in rollup.sales_hour.';
comment on column rollup.terminal_day.tax is 'Of those that count: the tax.';
comment on column rollup.terminal_day.without_rate is 'Of those that count: lines whose rate nobody says, with tax.';
comment on column rollup.terminal_day.held_total is 'Sum of the printed totals of those that are held.';
comment on column rollup.terminal_day.voided_total is 'Sum of the printed totals of those that are voided.';
comment on column rollup.terminal_day.waited_seconds is
  'Whole seconds from print to the store''s database, over all receipts; a clock that is ahead counts as 0.';
comment on column rollup.terminal_day.waited_most is 'The longest of these.';

create table rollup.guess_due (
  what       text not null check (what in ('code', 'department', 'rules', 'all')),
  node_id    integer,
  department text,
  code       text
) with (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
comment on table rollup.guess_due is
  'Changes of the catalog after which guessed tax rates, or what an item is, may be others. The fold empties it.';
comment on column rollup.guess_due.what is
  'What is concerned: items of a code, a department, all that barcode rules read, or all that was guessed.';
comment on column rollup.guess_due.node_id is 'The store; null for all.';
comment on column rollup.guess_due.department is 'The department.';
comment on column rollup.guess_due.code is 'A GTIN of 14 digits, or a local code.';

create table rollup.restated (
  restated_id    bigint generated always as identity primary key,
  at             timestamptz not null default clock_timestamp(),
  node_id        integer not null,
  business_date  date not null,
  department     text not null,
  tickets_before integer not null,
  tickets_after  integer not null,
  gross_before   numeric(20,2) not null,
  gross_after    numeric(20,2) not null,
  why            text not null
);
create index restated_business_date on rollup.restated (business_date, node_id);
comment on table rollup.restated is 'Changes of a day''s sums after it was closed. Local: what this node had shown before.';
comment on column rollup.restated.restated_id is 'Key.';
comment on column rollup.restated.at is 'When the sums changed.';
comment on column rollup.restated.node_id is 'The store''s node.';
comment on column rollup.restated.business_date is 'The business day.';
comment on column rollup.restated.department is 'The department.';
comment on column rollup.restated.tickets_before is 'Receipts that counted before.';
comment on column rollup.restated.tickets_after is 'Receipts that count now.';
comment on column rollup.restated.gross_before is 'Their sum before, with tax.';
comment on column rollup.restated.gross_after is 'Their sum now.';
comment on column rollup.restated.why is 'How many receipts came, were voided, released or held, or left; else that lines or tax rates changed.';

create table rollup.until (
  node_id        integer primary key,
  complete_until timestamptz,
  next_until     timestamptz,
  next_round     bigint
);
comment on table rollup.until is 'Up to when the roll-ups have all that a store recorded.';
comment on column rollup.until.node_id is 'The store''s node.';
comment on column rollup.until.complete_until is 'Whatever the store recorded before this is in the roll-ups. Null: not known yet.';
comment on column rollup.until.next_until is 'What complete_until becomes once the buckets of that round are summed up.';
comment on column rollup.until.next_round is 'That round.';

-- include functions/catalog/tax.sql
-- include functions/sync/touched.sql
-- include functions/sync/track.sql
-- include functions/sync/setup.sql
-- include functions/sync/status.sql
-- include functions/sync/prune.sql
drop function sync.node_gauges();
-- include functions/sync/gauge.sql
-- include functions/rollup/rebuild.sql
-- include functions/rollup/guess.sql

-- What guesses of tax rates follow from, and no more: a new description is none of it.
do $$
declare
  made record;
begin
  for made in
    select * from (values
      ('catalog.product', 'tax_id, deleted'),
      ('catalog.barcode', 'gtin14, product_id, deleted'),
      ('catalog.local_code', 'code, node_id, department_code, product_id, deleted'),
      ('catalog.tax', 'deleted'),
      ('catalog.tax_rate', 'tax_id, rate, valid_from, deleted'),
      ('catalog.barcode_rule', ''),
      ('org.department', 'node_id, code, tax_id, deleted')
    ) as m (table_name, columns)
  loop
    execute format('create or replace trigger _960_guess after insert on %s for each row execute function rollup.note_guess()',
                   made.table_name);
    execute format('create or replace trigger _961_guess after update on %s for each row %s execute function rollup.note_guess()',
                   made.table_name,
                   'when (' || (select string_agg(format('old.%1$I is distinct from new.%1$I', btrim(c)), ' or ')
                                  from string_to_table(nullif(made.columns, ''), ',') c) || ')');
    execute format('alter table %s enable always trigger _960_guess', made.table_name);
    execute format('alter table %s enable always trigger _961_guess', made.table_name);
  end loop;
end $$;

-- What is here already is summed up once.
select rollup.rebuild();
select sync.track(t.table_name) from sync.tracked_table t order by t.table_name;

grant usage on schema tpv, wire, sync, sales, org, catalog, tpv_lock, rollup to tpv_fold;
grant select, delete on sync.touched to tpv_fold;
grant insert on sync.touched to tpv_apply;
grant select, update on sync.change_head to tpv_fold;
grant select, insert on sync.change to tpv_fold;
-- The low-water mark of this node is that of its last heartbeat, where it cannot be known.
grant select on sync.this_node, sync.peer, wire.beat, sales.receipt, sales.receipt_line, sales.day_close, org.node,
                catalog.barcode_rule to tpv_fold;
grant select, insert, update, delete on tpv_lock.fold to tpv_fold;
grant select, insert, update, delete
   on rollup.due, rollup.guess_due, rollup.bucket, rollup.sales_hour, rollup.item_day, rollup.item, rollup.tax_day, rollup.terminal_day, rollup.until
   to tpv_fold;
grant insert on rollup.restated to tpv_fold;
grant select (node_id, doc_id, resolved_at) on sync.quarantine to tpv_fold;
grant execute on function sync.is_restored() to tpv_fold;
grant execute on function catalog.barcode_rules(integer), catalog.rule_as_json(catalog.barcode_rule),
                          catalog.line_taxes(integer, text, text[], date) to tpv_fold;

grant usage on schema rollup to tpv_operator;
grant select on all tables in schema rollup to tpv_operator;
grant select on sync.touched, sync.change, sync.change_head to tpv_operator;
-- What sync.status asks.
grant usage on schema rollup to tpv_analyst;
grant select on sync.touched, rollup.due to tpv_analyst;
