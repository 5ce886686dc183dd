create or replace view bi.receipts_by_state as
  select d.node_id, s.store, d.business_date, d.department, d.terminal, (d.accepted + d.released + d.held + d.voided)::bigint as receipts,
         d.accepted::bigint as accepted, d.released::bigint as released, d.held::bigint as held, d.voided::bigint as voided,
         d.late::bigint as late, d.held_total, d.voided_total, s.currency, u.complete_until
    from rollup.terminal_day d
    join bi.store s on s.node_id = d.node_id
    left join rollup.until u on u.node_id = d.node_id;
comment on view bi.receipts_by_state is
  'How many receipts are in which state now. Grain: a store, a business day, a department and a terminal. Files that are no '
  'receipts are in bi.rejected_file.';
comment on column bi.receipts_by_state.receipts is 'Receipts in all states: accepted + released + held + voided.';

create or replace view bi.held_receipt as
  select r.node_id, s.store, r.business_date, r.department, r.terminal, r.receipt_id, r.series, r.receipt_number, r.printed_at, r.recorded_at,
         r.hold_code, r.flags, r.line_count::bigint as lines, r.total, r.lines_total, r.total_difference
    from sales.receipt r
    join bi.store s on s.node_id = r.node_id
   where r.state = 'held';
comment on view bi.held_receipt is
  'Receipts that wait for a person to release or void them. Grain: a receipt. They are in no sum of sales.';
comment on column bi.held_receipt.lines is 'Number of its lines.';
comment on column bi.held_receipt.total is 'Printed total with tax: what the customer saw.';

create or replace view bi.rejected_file as
  select s.node_id, s.store, x.terminal, x.at as refused_at, ((x.at at time zone s.timezone) - make_interval(hours => s.cutoff_hour))::date as business_date,
         x.code, x.pointer, x.file_name, x.size_bytes
    from sales.rejected x
   cross join sync.this_node t
    join bi.store s on s.node_id = t.node_id;
comment on view bi.rejected_file is
  'Files that are no usable receipts. Grain: a file. Each store keeps its own, so this is empty at central. What the files hold '
  'is not shown.';
comment on column bi.rejected_file.refused_at is 'When it first came.';
comment on column bi.rejected_file.business_date is 'The business day on which it came. What is printed in it does not count.';
comment on column bi.rejected_file.code is 'Why: a stable code such as TRUNCATED or UNKNOWN_TERMINAL (docs/codes.md).';
comment on column bi.rejected_file.pointer is 'JSON pointer to the fault; empty for the file as a whole.';
comment on column bi.rejected_file.file_name is 'Name of the file; null when it had none.';
comment on column bi.rejected_file.size_bytes is 'Size of the file, in bytes.';

-- A file that was refused is counted where this database recorded the refusal, which is the store's own.
create or replace view bi.terminal_success as
  select d.node_id, s.store, d.business_date, d.terminal, d.taken_in,
         case when h.node_id is not null then d.not_taken_in end as not_taken_in,
         case when h.node_id is not null then round(100.0 * d.taken_in / nullif(d.taken_in + d.not_taken_in, 0), 2) end as success_percent,
         d.waited_seconds, round(d.waited_seconds::numeric / nullif(d.taken_in, 0), 1) as waited_average_seconds,
         d.waited_most as waited_most_seconds, u.complete_until
    from (
      select a.node_id, a.business_date, a.terminal, sum(a.taken_in)::bigint as taken_in, sum(a.not_taken_in)::bigint as not_taken_in,
             sum(a.waited_seconds)::bigint as waited_seconds, max(a.waited_most) as waited_most
        from (
          select t.node_id, t.business_date, t.terminal, t.accepted + t.released + t.held + t.voided as taken_in, 0 as not_taken_in,
                 t.waited_seconds, t.waited_most
            from rollup.terminal_day t
          union all
          select x.node_id, x.business_date, x.terminal, 0, 1, 0, null
            from bi.rejected_file x
           where x.code in ('NOT_A_RECEIPT', 'NOT_STORABLE', 'UNKNOWN_TERMINAL')) a
       group by a.node_id, a.business_date, a.terminal) d
    join bi.store s on s.node_id = d.node_id
    left join sync.this_node h on h.node_id = d.node_id
    left join rollup.until u on u.node_id = d.node_id;
comment on view bi.terminal_success is
  'The share of valid files that were taken in, and how long they waited. Grain: a store, a business day and a terminal. Files '
  'that still lie in an inbox are not known to a database: the metrics of the watcher have them. Repeats count once.';
comment on column bi.terminal_success.taken_in is 'Receipts that were taken in, in whatever state they are.';
comment on column bi.terminal_success.not_taken_in is
  'Files that were refused for no fault of the file: UNKNOWN_TERMINAL, NOT_STORABLE, NOT_A_RECEIPT (docs/codes.md). They count '
  'on the day they came, taken_in on its business day. One that was handed in again later counts in both. Null but in the store''s own database, which alone knows them.';
comment on column bi.terminal_success.success_percent is
  'taken_in of 100 valid files, that is taken_in + not_taken_in. Null but in the store''s own database.';
comment on column bi.terminal_success.waited_seconds is
  'Whole seconds from print to the store''s database, of all receipts together. A clock that is ahead counts as 0.';
comment on column bi.terminal_success.waited_average_seconds is
  'waited_seconds / taken_in. Over several rows divide the sums instead.';
comment on column bi.terminal_success.waited_most_seconds is 'The longest of these, in seconds.';

create or replace view bi.restated_day as
  select r.node_id, s.store, r.business_date, r.department, r.at as restated_at, r.tickets_before, r.tickets_after, r.gross_before,
         r.gross_after, r.gross_after - r.gross_before as gross_change, r.why, s.currency
    from rollup.restated r
    join bi.store s on s.node_id = r.node_id;
comment on view bi.restated_day is
  'Changes of a day''s sums after the day was closed. Grain: a change of a store, a business day and a department. It is what this '
  'database had shown before; another one may have heard later, and so have other rows.';
comment on column bi.restated_day.restated_at is 'When the sums changed here.';
comment on column bi.restated_day.tickets_before is 'Receipts that counted before.';
comment on column bi.restated_day.tickets_after is 'Receipts that counted after it.';
comment on column bi.restated_day.gross_before is 'Amount with tax before.';
comment on column bi.restated_day.gross_after is 'Amount with tax after it.';
comment on column bi.restated_day.gross_change is 'gross_after - gross_before.';
comment on column bi.restated_day.why is
  'What happened, in English: 2 receipts came, 1 receipt was voided; or that lines or tax rates changed. A change of tax alone '
  'leaves gross as it was.';

create or replace view bi.day_status as
  select b.node_id, s.store, b.business_date, b.receipts, b.lines, b.guessed_lines, c.closed_at is not null as is_closed, c.closed_at,
         coalesce(u.complete_until >= (b.business_date + 1 + make_interval(hours => s.cutoff_hour)) at time zone s.timezone,
                  false) as is_complete,
         (select count(*) from rollup.restated r
           where r.node_id = b.node_id and r.business_date = b.business_date)::integer as restatements,
         b.summed_up_at, u.complete_until
    from (select b.node_id, b.business_date, sum(b.receipts)::bigint as receipts, sum(b.lines)::bigint as lines,
                 sum(b.guessed_lines)::bigint as guessed_lines, max(b.computed_at) as summed_up_at
            from rollup.bucket b group by b.node_id, b.business_date) b
    join bi.store s on s.node_id = b.node_id
    left join sales.day_close c on c.node_id = b.node_id and c.business_date = b.business_date
    left join rollup.until u on u.node_id = b.node_id;
comment on view bi.day_status is
  'How far a day is settled. Grain: a store and a business day. Days without receipts are not here.';
comment on column bi.day_status.receipts is 'Receipts in all states.';
comment on column bi.day_status.lines is 'Their lines, also of held and voided receipts.';
comment on column bi.day_status.guessed_lines is 'Lines that say no tax rate, so that the catalog was asked.';
comment on column bi.day_status.closed_at is 'When the store closed the day; null while it is open.';
comment on column bi.day_status.restatements is 'How often its sums changed after it was closed: rows of bi.restated_day.';
comment on column bi.day_status.summed_up_at is 'When its sums were worked out last.';
comment on column bi.held_receipt.hold_code is 'Why it is held, a stable code: docs/codes.md says what each means.';
