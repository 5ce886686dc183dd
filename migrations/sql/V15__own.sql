-- Purpose: what people of the chain see and do: views and functions of schema own.
-- Limits:  nobody with a scope has a right on anything else. Each view is the owner's and a barrier,
--          over tables and never over views with the rights of their reader. A list is in the order
--          of its view: a reader's own ORDER BY sorts all that is in scope.
-- Undo:    drop schema own cascade; create schema own.

-- begin functions/sec/require.sql
create or replace function sec.may(permission text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (select exists (select from sec.permission p where p.role = tpv.acting_role() and p.permission = may.permission));
end $$;
comment on function sec.may(text) is 'Whether whoever acts has a permission, by the role in which she acts.';

create or replace function sec.require(permission text, node integer default null, department text default null,
                                       business_date date default null)
returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not sec.may(require.permission) then
    raise exception 'the role does not have the permission %', require.permission using errcode = 'TP403';
  end if;
  if require.node is not null and not tpv.may_see(require.node, require.department, require.business_date) then
    raise exception 'the role was not granted there' using errcode = 'TP403';
  end if;
end $$;
comment on function sec.require(text, integer, text, date) is
  'Refuses whoever lacks a permission, or has it elsewhere.';

create or replace function sec.require_version(given jsonb, present text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(given, 'null') = 'null' then
    raise exception 'the version of what is to be changed must be given' using errcode = 'TP428', hint = 'It is its etag.';
  end if;
  if given #>> '{}' is distinct from present then
    raise exception 'it was changed meanwhile' using errcode = 'TP412', hint = 'Read it again.';
  end if;
end $$;
comment on function sec.require_version(jsonb, text) is
  'Refuses a change of a row that somebody else has changed since it was read.';

create or replace function sec.refuse_hidden() returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'there is nothing of that kind here' using errcode = 'TP404';
end $$;
comment on function sec.refuse_hidden() is
  'Refuses what is not there, and what whoever asks may not see, alike.';

create or replace function sec.may_read_table(table_name text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  readable boolean;
begin
  if starts_with(may_read_table.table_name, 'sec.') then
    return false;
  end if;
  select bool_or(sec.may(r.permission)) into readable
    from sec.resource r where r.kind = 'view' and may_read_table.table_name = any (r.shows);
  -- Employees are of the whole chain, and so are the tables that no view shows.
  return coalesce(readable, sec.may('chain.read'))
     and (readable is true and may_read_table.table_name <> 'party.employee' or tpv.may_see_node(null));
end $$;
comment on function sec.may_read_table(text) is
  'Whether whoever acts may see values of a table: by the views of schema own that show it; a table that '
  'none shows is for those who look after the whole chain. Of schema sec nobody sees values.';

create or replace function sec.permissions() returns table (role text, permission text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  return query select p.role, p.permission from sec.permission p;
end $$;
comment on function sec.permissions() is
  'sec.permission, for the gateway: whoever lacks a permission hears that before anything else is wrong.';
grant execute on function sec.permissions() to tpv_gateway_auth;

do $$
declare
  scoped text;
begin
  for scoped in select 'tpv_' || r.role from sec.role r loop
    execute format('grant execute on function sec.may_read_table(text) to %I', scoped);
  end loop;
end $$;
-- end functions/sec/require.sql
-- begin functions/sec/resource.sql
create or replace function sec.make_view(name text, permission text, query text, comment text, shows text[], columns jsonb,
                                         sorted text default null)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  scoped text[] := array(select r.role from sec.role r
                          where make_view.permission is null
                             or exists (select from sec.permission p where p.role = r.role and p.permission = make_view.permission)
                          order by r.role);
  seen record;
begin
  -- The planner takes this test out of the rows: it is made once. The order stands inside, since a
  -- barrier is planned without its caller's.
  execute format('create or replace view own.%I with (security_barrier = true) as '
                 'select v.* from (%s) v where tpv.acting_role() = any (%L::text[])%s',
                 name, rtrim(query, E'; \n'), scoped, ' order by ' || sorted);
  execute format('comment on view own.%I is %L', name, comment);
  for seen in
    select a.attname, coalesce(columns ->> a.attname::text, sec.shared_comment(a.attname), (
             select col_description(t.attrelid, t.attnum)
               from unnest(shows) with ordinality as s (table_name, nth)
               join pg_attribute t on t.attrelid = s.table_name::regclass and t.attname = a.attname and t.attnum > 0
              order by s.nth limit 1)) as says
      from pg_attribute a
     where a.attrelid = format('own.%I', name)::regclass and a.attnum > 0 and not a.attisdropped
  loop
    if seen.says is null then
      raise exception 'nobody says what column % of own.% is', seen.attname, name using errcode = '22023';
    end if;
    execute format('comment on column own.%I.%I is %L', name, seen.attname, seen.says);
  end loop;
  insert into sec.resource (name, kind, permission, shows)
  values (make_view.name, 'view', make_view.permission, make_view.shows);
  execute format('grant select on own.%I to %s', name, (select string_agg(quote_ident('tpv_' || r), ', ') from unnest(scoped) r));
end $$;
comment on function sec.make_view(text, text, text, text, text[], jsonb, text) is
  'Makes a view of schema own that is read by the roles with a permission, and by nobody else. shows are '
  'the tables whose comments its columns bear; columns are the comments of the others.';

create or replace function sec.shared_comment(column_name text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select case shared_comment.column_name
    when 'etag' then 'The version of the row: it changes with each change. Functions that change a row want it.'
    when 'at' then 'When.'
    when 'node_id' then 'The node: the store that it is about.'
    when 'department' then 'The department, as receipts name it.'
    when 'receipt_id' then 'The receipt.'
    when 'terminal' then 'The terminal.'
  end;
end;
comment on function sec.shared_comment(text) is 'What columns of schema own mean that several views have.';

create or replace function sec.offer(verb text, permission text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  scoped text;
begin
  insert into sec.resource (name, kind, permission) values (verb, 'verb', offer.permission);
  for scoped in
    select r.role from sec.role r
     where offer.permission is null
        or exists (select from sec.permission p where p.role = r.role and p.permission = offer.permission)
  loop
    execute format('grant execute on function own.%I(jsonb) to %I', verb, 'tpv_' || scoped);
  end loop;
end $$;
comment on function sec.offer(text, text) is
  'Lets the roles with a permission, and nobody else, call a function of schema own.';
-- end functions/sec/resource.sql
-- begin functions/sync/chain_state.sql
create or replace function sync.chain_state()
returns table (node_id integer, node text, direction text, state text, lag_bytes bigint, lag_operations bigint, silent_for_s bigint,
  received_until timestamptz, verified_until timestamptz, held bigint, quarantined bigint, drift bigint, version text, advice text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with held as (
    select r.node_id, count(*) as held from sales.receipt r where r.state = 'held' group by r.node_id
  )
  select n.node_id, n.node_code, 'here', 'running', null::bigint, null::bigint, null::bigint, null::timestamptz, null::timestamptz,
         coalesce((select sum(h.held) from held h where n.kind = 'central' or h.node_id = n.node_id), 0)::bigint,
         (select count(*) from sync.quarantine q where q.resolved_at is null),
         (select count(*) from sync.drift d where d.resolved_at is null),
         (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pg_tpv'),
         case when exists (select from sync.quarantine q where q.resolved_at is null) then 'rows wait in quarantine'
              else 'nothing to do' end
    from sync.this_node t join org.node n on n.node_id = t.node_id
  union all
  select n.node_id, s.peer, s.direction, s.state, s.lag_bytes, s.lag_operations, extract(epoch from s.silent_for)::bigint,
         s.received_until, s.verified_until, coalesce((select h.held from held h where h.node_id = n.node_id), 0), s.quarantined,
         s.drift, s.version, s.advice
    from sync.status s join org.node n on n.node_code = s.peer
$$;
comment on function sync.chain_state() is
  'sync.status as the owner sees it, with a row for this node. For the view of schema own.';
do $$
declare
  scoped text;
begin
  for scoped in select 'tpv_' || p.role from sec.permission p where p.permission = 'chain.read' loop
    execute format('grant execute on function sync.chain_state() to %I', scoped);
  end loop;
end $$;
-- end functions/sync/chain_state.sql

-- Who asks

select sec.make_view('me', null, $$
  select e.employee_id, e.code, e.name, tpv.acting_role() as role,
         array(select p.permission from sec.permission p where p.role = tpv.acting_role() order by 1) as permissions,
         tpv.acting_scope() as scope
    from (values (true)) as one (row)
    left join party.employee e on e.employee_id = tpv.acting_employee()
$$, 'Who asks, and what she may here: one row.', '{party.employee}', '{
  "role": "The role in which she acts.", "permissions": "What the role may, as in sec.permission.",
  "scope": "Where: an array of {node, department, from, to}; what is null limits nothing."}');

select sec.make_view('scope', null, $$
  select s.node as node_id, s.department as department_code, s."from" as from_date, s."to" as to_date
    from jsonb_to_recordset(tpv.acting_scope()) as s (node integer, department text, "from" date, "to" date)
$$, 'Where whoever asks may look: a row for each store or department.', '{sec.role_grant}', '{
  "node_id": "The store; null for the whole chain.", "from_date": "Sales from that business date on; null for all.",
  "to_date": "Sales up to that business date; null for all."}', 'v.node_id, v.department_code');

select sec.make_view('session', null, $$
  select s.session_id, s.role, s.created_at, s.last_used_at,
         least(s.expires_at, s.rotated_at + interval '12 hours') as expires_at, s.address, s.user_agent
    from sec.session s
    join party.employee e on e.employee_id = s.employee_id and e.authz <= s.authz
   where s.employee_id = tpv.acting_employee() and s.ended_at is null
     and least(s.expires_at, s.rotated_at + interval '12 hours') > now()
$$, 'Her sessions at this node that are not over.', '{sec.session}', '{
  "expires_at": "When it is over unless it is refreshed."}', 'v.created_at desc');

-- Places

select sec.make_view('store', 'store.read', $$
  select s.node_id, s.code, s.name, s.timezone, s.currency, s.cutoff_hour, s.gateway_url,
         (select md5(h.heads) from sync.head h where h.table_name = 'org.store' and h.key = s.store_id::text) as etag
    from org.store s
   where not s.deleted and tpv.may_see_node(s.node_id)
$$, 'Stores.', '{org.store}', '{}', 'v.node_id');

select sec.make_view('department', 'store.read', $$
  select d.department_id, d.node_id, d.code, d.name, l.name as concessionaire, d.tax_id,
         (select md5(h.heads) from sync.head h where h.table_name = 'org.department' and h.key = d.department_id::text) as etag
    from org.department d left join org.legal_entity l on l.legal_entity_id = d.legal_entity_id and not l.deleted
   where not d.deleted and tpv.may_see(d.node_id, d.code, null)
$$, 'Departments.', '{org.department}', '{"concessionaire": "Registered name of whoever leases it; null for the store itself."}',
  'v.node_id, v.code');

select sec.make_view('terminal', 'store.read', $$
  select t.terminal_id, t.node_id, t.code, t.kind, t.department_code, t.active,
         (select md5(h.heads) from sync.head h where h.table_name = 'org.terminal' and h.key = t.terminal_id::text) as etag
    from org.terminal t
   where not t.deleted and tpv.may_see(t.node_id, t.department_code, null)
$$, 'Terminals.', '{org.terminal}', '{}', 'v.node_id, v.code');

-- The catalog is the chain's: only what a store or a department has of its own is in a scope.

select sec.make_view('product', 'catalog.read', $$
  select p.product_id, p.sku, p.description, p.unit, p.tax_id, p.deleted,
         (select md5(h.heads) from sync.head h where h.table_name = 'catalog.product' and h.key = p.product_id::text) as etag
    from catalog.product p
$$, 'What the chain sells or has sold.', '{catalog.product}', '{}', 'v.sku, v.product_id');

select sec.make_view('barcode', 'catalog.read', $$
  select b.barcode_id, b.gtin14, b.product_id,
         (select md5(h.heads) from sync.head h where h.table_name = 'catalog.barcode' and h.key = b.barcode_id::text) as etag
    from catalog.barcode b
   where not b.deleted
$$, 'Which product a barcode is.', '{catalog.barcode}', '{}', 'v.gtin14');

select sec.make_view('local_code', 'catalog.read', $$
  select c.local_code_id, c.node_id, c.department_code, c.code, c.product_id,
         (select md5(h.heads) from sync.head h where h.table_name = 'catalog.local_code' and h.key = c.local_code_id::text) as etag
    from catalog.local_code c
   where not c.deleted
     and case when c.department_code is not null then tpv.may_see(c.node_id, c.department_code, null)
              else c.node_id is null or tpv.may_see_node(c.node_id) end
$$, 'Which product a code is that is no GTIN.', '{catalog.local_code}',
  '{"node_id": "The only store it holds in; null for all."}', 'v.code, v.local_code_id');

select sec.make_view('price', 'catalog.read', $$
  select p.price_id, p.product_id, p.node_id, p.price, p.valid_from,
         (select md5(h.heads) from sync.head h where h.table_name = 'catalog.price' and h.key = p.price_id::text) as etag
    from catalog.price p
   where not p.deleted and (p.node_id is null or tpv.may_see_node(p.node_id))
$$, 'Unit prices, each until the next of the same product and store.', '{catalog.price}',
  '{"node_id": "The only store it holds in; null for all."}', 'v.product_id, v.valid_from desc, v.price_id desc');

select sec.make_view('tax', 'catalog.read', $$
  select t.tax_id, t.code, t.name from catalog.tax t where not t.deleted
$$, 'Taxes.', '{catalog.tax}', '{}', 'v.code');

select sec.make_view('tax_rate', 'catalog.read', $$
  select r.tax_rate_id, r.tax_id, r.rate, r.valid_from from catalog.tax_rate r where not r.deleted
$$, 'Rates of taxes, each until the next.', '{catalog.tax_rate}', '{}', 'v.tax_id, v.valid_from desc');

-- Customers are the chain's.

select sec.make_view('customer', 'customer.read', $$
  select c.customer_id, c.name, c.email, c.phone, c.street, c.postcode, c.city, c.country, c.tags, c.consent,
         c.credit_limit, c.home_node_id, c.alias_of, left(lower(c.name), 100) collate "C" as name_key,
         left(lower(c.email), 300) as email_key, left(c.phone, 40) as phone_key,
         (select count(distinct s.column_name)::integer from sync.sibling s
           where s.table_name = 'party.customer' and s.key = c.customer_id::text) as conflicts,
         (select md5(h.heads) from sync.head h where h.table_name = 'party.customer' and h.key = c.customer_id::text) as etag
    from party.customer c
   where not c.deleted
$$, 'Customers of the chain.', '{party.customer}', '{"conflicts": "How many of its columns were written by two nodes at once: own.sibling.",
  "name_key": "The first 100 characters of the name in lower case: what lists are in the order of, and search.",
  "email_key": "The first 300 characters of the e-mail address in lower case.", "phone_key": "The first 40 characters of the telephone."}',
  'v.name_key, v.customer_id');

-- Receipts. Each list begins with an index on its store, or its store and department.

select sec.make_view('receipt', 'receipt.read', $$
  select r.node_id, r.receipt_id, r.business_date, r.terminal, r.department, r.series, r.receipt_number, r.printed_text,
         r.printed_at, r.recorded_at, r.line_count, r.total, r.lines_total, r.total_difference, r.state, r.hold_code,
         r.hold_pointer, r.hold_detail, r.flags
    from sales.receipt r
   where tpv.may_see(r.node_id, r.department, r.business_date)
$$, 'Receipts, of each store the newest first.', '{sales.receipt}', '{}', 'v.node_id desc, v.receipt_id desc');

select sec.make_view('receipt_line', 'receipt.read', $$
  select l.node_id, l.receipt_id, l.line_number, l.barcode, l.gtin14, l.description, l.price, l.quantity, l.tax_rate, l.total,
         r.department, l.business_date
    from sales.receipt_line l
    join sales.receipt r on r.node_id = l.node_id and r.receipt_id = l.receipt_id
   where tpv.may_see(r.node_id, r.department, r.business_date)
$$, 'Lines of receipts.', '{sales.receipt_line}', '{}', 'v.node_id, v.receipt_id, v.line_number');

select sec.make_view('receipt_event', 'receipt.read', $$
  select e.node_id, e.receipt_id, e.doc_id, e.kind, timestamptz 'epoch' + (e.hlc >> 16) * interval '1 millisecond' as at,
         e.body::json ->> 'by' as actor, e.body::json ->> 'why' as why
    from sales.receipt_event e
    join sales.receipt r on r.node_id = e.node_id and r.receipt_id = e.receipt_id
   where tpv.may_see(r.node_id, r.department, r.business_date)
$$, 'What became of receipts after they were printed.', '{sales.receipt_event}', '{
  "actor": "Who decided, by sec.actor().", "why": "The reason. It names no person."}', 'v.node_id, v.receipt_id, v.doc_id');

select sec.make_view('dat_file', 'receipt.read', $$
  select f.node_id, f.receipt_id, f.folder, f.name, f.bytes, f.sha256,
         case when f.withdrawn_at is not null then 'withdrawn'
              when exists (select from dat.pending p where p.receipt_id = f.receipt_id and p.done_at is null) then 'pending'
              else 'published' end as state
    from dat.file f
    join sales.receipt r on r.node_id = f.node_id and r.receipt_id = f.receipt_id
   where tpv.may_see(r.node_id, r.department, r.business_date)
$$, 'The .dat files of receipts, at their own store.', '{dat.file}', '{
  "state": "published, pending (the watcher is about to write it or to take it away), withdrawn."}', 'v.node_id, v.receipt_id');

select sec.make_view('raw', 'raw.read', $$
  select w.raw_id, w.receipt_id, w.received_at, w.terminal, w.file_name, w.outcome, w.bytes
    from sales.raw w
    join sales.receipt r on r.node_id = (select t.node_id from sync.this_node t) and r.receipt_id = w.receipt_id
   where tpv.may_see(r.node_id, r.department, r.business_date)
$$, 'Files of terminals as they came, at their own store.', '{sales.raw}', '{}', 'v.raw_id desc');

select sec.make_view('rejected', 'raw.read', $$
  select j.rejected_id, j.at, j.terminal, t.department_code as department, j.file_name, j.size_bytes, j.code, j.pointer, j.detail,
         j.raw
    from sales.rejected j
   cross join (select h.node_id, coalesce(s.timezone, 'UTC') as timezone
                 from sync.this_node h left join org.store s on s.node_id = h.node_id and not s.deleted) h
    left join org.terminal t on t.node_id = h.node_id and t.code = j.terminal and not t.deleted
   where tpv.may_see(h.node_id, t.department_code, (j.at at time zone h.timezone)::date)
$$, 'Files that are no receipts, at the store where they came.', '{sales.rejected}', '{
  "department": "The department of the terminal; null when nobody registered it."}', 'v.rejected_id desc');

-- People

select sec.make_view('employee', 'employee.read', $$
  select e.employee_id, e.code, e.name, e.active,
         exists (select from sec.block b where b.employee_id = e.employee_id) as blocked,
         (select md5(h.heads) from sync.head h where h.table_name = 'party.employee' and h.key = e.employee_id::text) as etag,
         exists (select from sec.password p where p.employee_id = e.employee_id)
         or exists (select from sec.verifier v where v.employee_id = e.employee_id and not v.deleted) as has_password
    from party.employee e
   where not e.deleted
     and (tpv.may_see_node(null) or exists (
           select from sec.role_grant g
            where g.employee_id = e.employee_id and not g.deleted and tpv.may_see(g.node_id, g.department_code, null)))
$$, 'Employees who have a role where whoever asks may look.', '{party.employee}', '{
  "has_password": "Whether a password was set.", "blocked": "Whether somebody keeps her out at this node, whatever central says."}', 'v.code');

select sec.make_view('role_grant', 'employee.read', $$
  select g.role_grant_id, g.employee_id, g.role, g.node_id, g.department_code, g.valid_from, g.valid_to,
         (select md5(h.heads) from sync.head h where h.table_name = 'sec.role_grant' and h.key = g.role_grant_id::text) as etag
    from sec.role_grant g
   where not g.deleted and tpv.may_see(g.node_id, g.department_code, null)
$$, 'Who has which role where.', '{sec.role_grant}', '{"node_id": "The only store it holds in; null for the whole chain."}',
  'v.employee_id, v.role_grant_id');

-- A view over that view would be refused: it has the rights of its reader.
select sec.make_view('pending_revocation', 'employee.read', format(
  'select p.employee_id, p.code, p.store, p.since, p.last_heard_at from (%s) p join org.node n on n.node_code = p.store '
  'where tpv.may_see(n.node_id, null, null)', rtrim(pg_get_viewdef('sec.pending_revocation'::regclass), ';')),
  'Employees whose sessions of before central ended, for each store that has not said that it has heard.', '{sec.pending_revocation}', '{}',
  'v.since, v.code, v.store');

-- The chain

select sec.make_view('node', 'chain.read', $$
  select s.node_id, s.node, s.direction, s.state, s.lag_bytes, s.lag_operations, s.silent_for_s, s.received_until, s.verified_until,
         s.held, s.quarantined, s.drift, s.version, s.advice
    from sync.chain_state() s
   where tpv.may_see(s.node_id, null, null) or tpv.may_see((select t.node_id from sync.this_node t), null, null)
$$, 'This node, and each node that it exchanges rows with, with what to do.', '{sync.status}', '{
  "node": "The node.", "direction": "here: this node. receives, sends: as in sync.status.",
  "silent_for_s": "Seconds since its last heartbeat; of this node null.",
  "held": "Receipts of that node that wait for a person."}', 'v.node, v.direction');

select sec.make_view('quarantine', 'chain.read', $$
  select q.quarantine_id, q.at, q.node_id, q.code, q.kind,
         case when q.kind not like '%.%' or sec.may_read_table(q.kind) then q.detail
              else 'it is about a table whose values you may not see' end as detail, q.resolved_at
    from sync.quarantine q
   where tpv.may_see(q.node_id, null, null) or tpv.may_see((select t.node_id from sync.this_node t), null, null)
$$, 'Rows of the chain that wait at this node, or were refused.', '{sync.quarantine}', '{"node_id": "The node that wrote it."}',
  'v.quarantine_id desc');

select sec.make_view('drift', 'chain.read', $$
  select d.drift_id, d.found_at, d.node_id, d.what, d.subject, d.detail, d.resolved_at
    from sync.drift d
   where tpv.may_see(d.node_id, null, null) or tpv.may_see((select t.node_id from sync.this_node t), null, null)
$$, 'What a peer has and this node has not.', '{sync.drift}', '{"node_id": "The peer."}', 'v.drift_id desc');

select sec.make_view('sibling', 'conflict.read', $$
  select s.table_name, s.key, s.column_name, s.value, s.node_id, s.seq,
         timestamptz 'epoch' + (s.hlc >> 16) * interval '1 millisecond' as at, s.chosen as shown, s.review
    from sync.sibling s
   where sec.may_read_table(s.table_name)
$$, 'Values that two nodes wrote at once, until somebody settles it.', '{sync.sibling}', '{
  "node_id": "The node that wrote this value.", "at": "When it was written.", "shown": "Whether the row has this value."}',
  'v.table_name, v.key, v.column_name, v.node_id, v.seq');

select sec.make_view('audit', 'audit.read', $$
  select a.audit_id, a.at, a.event, a.subject, a.actor, a.detail
    from sec.audit a
   where tpv.may_see((select t.node_id from sync.this_node t), null, null)
$$, 'Security events of this node.', '{sec.audit}', '{}', 'v.audit_id desc');

-- What they do. A function stands for one request: it asks for its permission, looks at all of the
-- request and says all its faults at once, and answers one object.

-- begin functions/sec/request.sql
-- What is wrong with a request. A function of schema own says its members in one line,
-- 'receipt_id uuid!; why why!; file_name file': a name, what it is, and ! where it must be there.
-- tpv.form_faults compares.

create or replace function sec.fault(pointer text, code text, detail text) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select jsonb_build_array(jsonb_build_object('pointer', pointer, 'code', code, 'detail', detail));
end;
comment on function sec.fault(text, text, text) is 'A list of one fault of a request: where, a stable code, a sentence.';

create or replace function sec.refuse_faults(faults jsonb) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if jsonb_array_length(faults) > 0 then
    raise exception 'the request has faults' using errcode = 'TP422', detail = faults::text;
  end if;
end $$;
comment on function sec.refuse_faults(jsonb) is 'Refuses a request with all its faults, if it has any.';
-- end functions/sec/request.sql
-- begin functions/own/receipt.sql
create or replace function sec.receipt_body(node integer, receipt uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  return (
    select to_jsonb(r) || jsonb_build_object('total', r.total::text, 'lines_total', r.lines_total::text,
                                             'total_difference', r.total_difference::text)
      from own.receipt r where r.node_id = receipt_body.node and r.receipt_id = receipt_body.receipt);
end $$;
comment on function sec.receipt_body(integer, uuid) is 'A receipt as an answer shows it: amounts are texts.';

create or replace function sec.decide_receipt(args jsonb, permission text, members text, decision text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  here integer := org.this_node();
  receipt uuid;
  elsewhere integer;
  why text := args ->> 'why';
begin
  perform sec.require(permission);
  perform sec.refuse_faults(tpv.form_faults(args, members));
  receipt := args ->> 'receipt_id';
  if not exists (select from own.receipt r where r.node_id = here and r.receipt_id = receipt) then
    select r.node_id into elsewhere from own.receipt r
     where r.node_id = any (array(select s.node_id from org.store s)) and r.receipt_id = receipt;
    if elsewhere is null then
      perform sec.refuse_hidden();
    end if;
    perform sec.refuse_conflict('that is decided at the store of the receipt', 'decided-by-store',
                                (select s.gateway_url from org.store s where s.node_id = elsewhere and not s.deleted));
  end if;
  begin
    case decision
      when 'release' then perform sales.release(receipt, why, args ->> 'file_name');
      when 'void' then perform sales.void(receipt, why);
      when 'withdraw' then perform dat.withdraw(receipt, why);
      when 'render_again' then perform dat.render_again(receipt, why);
    end case;
  exception
    when data_exception then perform sec.refuse_conflict(sqlerrm, 'state');
    when unique_violation then perform sec.refuse_conflict(sqlerrm, 'name-taken');
  end;
  return sec.receipt_body(here, receipt);
end $$;
comment on function sec.decide_receipt(jsonb, text, text, text) is
  'What the functions about a receipt have in common: it must be one of this store that the caller sees.';

create or replace function own.release(args jsonb) returns jsonb
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sec.decide_receipt(args, 'receipt.release', 'receipt_id uuid!; why why!; file_name file', 'release');
end;
comment on function own.release(jsonb) is
  'Releases a held receipt: it counts, and its .dat is published. file_name replaces a name that is taken.';

create or replace function own.void(args jsonb) returns jsonb
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sec.decide_receipt(args, 'receipt.void', 'receipt_id uuid!; why why!', 'void');
end;
comment on function own.void(jsonb) is 'Voids a receipt: it does not count, and its .dat is withdrawn. Nothing undoes it.';

create or replace function own.withdraw(args jsonb) returns jsonb
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sec.decide_receipt(args, 'dat.decide', 'receipt_id uuid!; why why!', 'withdraw');
end;
comment on function own.withdraw(jsonb) is 'Takes the .dat of a receipt away from the checkout. The receipt stays as it is.';

create or replace function own.render_again(args jsonb) returns jsonb
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select sec.decide_receipt(args, 'dat.decide', 'receipt_id uuid!; why why!', 'render_again');
end;
comment on function own.render_again(jsonb) is 'Renders the .dat of a receipt with the present layout, and publishes it in place of the old one.';

create or replace function own.close_day(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  here integer := org.this_node();
  day date;
begin
  perform sec.require('day.close');
  perform sec.refuse_faults(tpv.form_faults(args, 'business_date date!; why why'));
  if not exists (select from org.store s where s.node_id = here and not s.deleted) then
    perform sec.refuse_conflict('a day is closed at its store', 'decided-by-store');
  end if;
  perform sec.require('day.close', here);
  day := args ->> 'business_date';
  begin
    perform sales.close_day(day, coalesce(args ->> 'why', ''));
  exception when data_exception then
    perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return (select to_jsonb(c) from sales.day_close c where c.node_id = here and c.business_date = day);
end $$;
comment on function own.close_day(jsonb) is
  'Closes a business day of this store: what comes later counts, is marked LATE, and gets no .dat by itself.';
-- end functions/own/receipt.sql
-- begin functions/own/customer.sql
create or replace function sec.customer_members() returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select 'email email; phone phone; street text; postcode text; city text; country country; tags tags; consent consent; credit_limit money; ';
end;
comment on function sec.customer_members() is 'What a request may say of a customer, but for the name.';

create or replace function sec.customer_body(customer uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  -- The version of a row is its operation, which is otherwise written with the commit.
  set constraints all immediate;
  return (select to_jsonb(c) - '{name_key,email_key,phone_key}'::text[] || jsonb_build_object('credit_limit', c.credit_limit::text)
            from own.customer c where c.customer_id = customer_body.customer);
end $$;
comment on function sec.customer_body(uuid) is 'A customer as an answer shows it: amounts are texts. Its version is that after this request.';

create or replace function sec.lock_customer(args jsonb) returns party.customer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  customer party.customer;
begin
  select * into customer from party.customer c where c.customer_id = (args ->> 'customer_id')::uuid and not c.deleted for update;
  if customer.customer_id is null then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select c.etag from own.customer c where c.customer_id = customer.customer_id));
  return customer;
end $$;
comment on function sec.lock_customer(jsonb) is 'Locks the customer of a request, which must name its present version.';

create or replace function own.create_customer(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  made uuid;
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'name line!; ' || sec.customer_members()));
  insert into party.customer (name, email, phone, street, postcode, city, country, tags, consent, credit_limit)
  select n.name, n.email, n.phone, n.street, n.postcode, n.city, n.country, coalesce(n.tags, '[]'), coalesce(n.consent, 'none'),
         n.credit_limit
    from jsonb_populate_record(null::party.customer, args) n
  returning customer_id into made;
  return sec.customer_body(made);
end $$;
comment on function own.create_customer(jsonb) is 'Makes a customer. Two with one e-mail address are refused.';

create or replace function own.change_customer(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  changes jsonb := args -> 'changes';
  faults jsonb;
  before party.customer;
  steps jsonb := (select t.only_stricter -> 'consent' from sync.tracked_table t where t.table_name = 'party.customer');
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; version text; changes object!'));
  faults := tpv.form_faults(changes, 'name line; ' || sec.customer_members());
  select faults || coalesce(jsonb_agg(sec.fault('/' || m, 'missing', 'it cannot be taken away') -> 0), '[]') into faults
    from unnest(array['name', 'tags', 'consent']) m where changes -> m = 'null';
  perform sec.refuse_faults(faults);
  before := sec.lock_customer(args);
  -- What is not named stays.
  if changes ? 'consent' and sync.is_looser(steps, to_jsonb(before.consent), changes -> 'consent') then
    perform sec.refuse_faults(sec.fault('/consent', 'looser', 'consent is given with a reason: loosen_consent'));
  end if;
  update party.customer c
     set name = n.name, email = n.email, phone = n.phone, street = n.street, postcode = n.postcode, city = n.city,
         country = n.country, tags = n.tags, consent = n.consent, credit_limit = n.credit_limit
    from jsonb_populate_record(before, changes) n
   where c.customer_id = before.customer_id;
  return sec.customer_body(before.customer_id);
end $$;
comment on function own.change_customer(jsonb) is
  'Changes what is named of a customer; null takes it away. Consent only grows stricter here.';

create or replace function own.delete_customer(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before party.customer;
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; version text'));
  before := sec.lock_customer(args);
  update party.customer c set deleted = true where c.customer_id = before.customer_id;
  return jsonb_build_object('customer_id', before.customer_id, 'deleted', true);
end $$;
comment on function own.delete_customer(jsonb) is 'Deletes a customer: nobody finds it any more. Its values stay; to take them out is erase_customer.';

create or replace function own.loosen_consent(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  customer uuid;
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; consent consent!; why why!'));
  customer := args ->> 'customer_id';
  perform from party.customer c where c.customer_id = customer and not c.deleted for update;
  if not found then
    perform sec.refuse_hidden();
  end if;
  perform sync.loosen('party.customer', customer, 'consent', args ->> 'consent', args ->> 'why');
  return sec.customer_body(customer);
end $$;
comment on function own.loosen_consent(jsonb) is 'Sets a looser consent of a customer on her word; the reason says where it is.';

create or replace function own.erase_customer(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  customer uuid;
begin
  perform sec.require('customer.erase');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; why why!'));
  customer := args ->> 'customer_id';
  if sync.is_erased('party.customer', customer::text) then
    return jsonb_build_object('customer_id', customer, 'erased', 0);
  end if;
  begin
    return jsonb_build_object('customer_id', customer, 'erased', party.erase(customer, args ->> 'why'));
  exception
    when no_data_found then perform sec.refuse_hidden();
    when invalid_parameter_value then
      perform sec.refuse_faults(sec.fault('/why', 'repeats', 'it repeats a value that is to be erased; name the request'));
  end;
  return null;
end $$;
comment on function own.erase_customer(jsonb) is
  'Takes every value of a customer out of all nodes, for ever, and of those that are aliases of the same one.';
-- end functions/own/customer.sql
-- begin functions/own/employee.sql
create or replace function sec.employee_body(employee uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  set constraints all immediate;
  return (select to_jsonb(e) from own.employee e where e.employee_id = employee_body.employee);
end $$;
comment on function sec.employee_body(uuid) is 'An employee as an answer shows her. Her version is that after this request.';

create or replace function own.create_employee(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  made uuid;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'code login!; name line!'));
  if exists (select from party.employee e where e.code = args ->> 'code' and not e.deleted) then
    perform sec.refuse_conflict('somebody logs in with that name already', 'code-taken');
  end if;
  insert into party.employee (code, name) values (args ->> 'code', args ->> 'name') returning employee_id into made;
  return sec.employee_body(made);
end $$;
comment on function own.create_employee(jsonb) is 'Makes an employee. She can log in once she has a role and a password.';

create or replace function own.change_employee(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  changes jsonb := args -> 'changes';
  faults jsonb;
  before party.employee;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; version text; changes object!'));
  faults := tpv.form_faults(changes, 'name line; active boolean');
  select faults || coalesce(jsonb_agg(sec.fault('/' || m, 'missing', 'it cannot be taken away') -> 0), '[]') into faults
    from unnest(array['name', 'active']) m where changes -> m = 'null';
  perform sec.refuse_faults(faults);
  select * into before from party.employee e where e.employee_id = (args ->> 'employee_id')::uuid and not e.deleted for update;
  if not exists (select from own.employee e where e.employee_id = before.employee_id) then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select e.etag from own.employee e where e.employee_id = before.employee_id));
  update party.employee e set name = n.name, active = n.active
    from jsonb_populate_record(before, changes) n
   where e.employee_id = before.employee_id;
  if before.active and changes -> 'active' = 'false' then
    perform sec.end_sessions(before.employee_id, null, 'REVOKED');
  end if;
  return sec.employee_body(before.employee_id);
end $$;
comment on function own.change_employee(jsonb) is
  'Changes the name of an employee, or whether she may log in. Who may not is refused at once here, and '
  'in each store when it has heard.';

create or replace function sec.require_no_other(given sec.role_grant) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Two of them come one after the other.
  perform from party.employee e where e.employee_id = given.employee_id for update;
  if exists (select from sec.role_grant g
              where g.employee_id = given.employee_id and g.role = given.role and not g.deleted
                and g.role_grant_id is distinct from given.role_grant_id
                and (g.node_id, g.department_code) is not distinct from (given.node_id, given.department_code)
                and daterange(g.valid_from, g.valid_to, '[]') && daterange(given.valid_from, given.valid_to, '[]')) then
    perform sec.refuse_conflict('she has that role there on some of these days already', 'state');
  end if;
end $$;
comment on function sec.require_no_other(sec.role_grant) is
  'Refuses a grant of what somebody has on some of its days: ending one of two would leave the other.';

create or replace function own.grant_role(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  role text := args ->> 'role';
  faults jsonb;
  node integer;
  given sec.role_grant;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  faults := tpv.form_faults(args,
    'employee_id uuid!; role string!; node code; department code; valid_from date; valid_to date');
  if not exists (select from sec.role r where r.role = args ->> 'role') and not faults @? '$[*] ? (@.pointer == "/role")' then
    faults := faults || sec.fault('/role', 'format', 'there is no such role');
  end if;
  perform sec.refuse_faults((select jsonb_agg(f order by f ->> 'pointer') from jsonb_array_elements(faults) f));
  select s.node_id into node from org.store s where s.code = args ->> 'node' and not s.deleted;
  select coalesce(jsonb_agg(sec.fault(f.pointer, f.code, f.detail) -> 0 order by f.pointer), '[]') into faults
    from (values
      ('/node', 'unknown-store', 'there is no such store', args ->> 'node' is not null and node is null),
      ('/node', 'missing', 'a lease is one of a department of a store', role = 'concessionaire' and args ->> 'node' is null),
      ('/node', 'not-here', 'an administrator is one of the whole chain', role = 'admin' and args ->> 'node' is not null),
      ('/department', 'missing', 'a lease is one of a department of a store', role = 'concessionaire' and args ->> 'department' is null),
      ('/department', 'not-here', 'a department is one of a store', args ->> 'department' is not null and args ->> 'node' is null),
      ('/department', 'unknown-department', 'the store has no such department',
       node is not null and args ->> 'department' is not null and not exists (
         select from org.department d where d.node_id = node and d.code = args ->> 'department' and not d.deleted)),
      ('/valid_to', 'order', 'it is before the first day',
       (args ->> 'valid_to')::date < coalesce((args ->> 'valid_from')::date, sec.today(node)))) as f (pointer, code, detail, is_so)
   where f.is_so;
  perform sec.refuse_faults(faults);
  if not exists (select from own.employee e where e.employee_id = (args ->> 'employee_id')::uuid) then
    perform sec.refuse_hidden();
  end if;
  given.employee_id := args ->> 'employee_id';
  given.role := role;
  given.node_id := node;
  given.department_code := args ->> 'department';
  given.valid_from := coalesce((args ->> 'valid_from')::date, sec.today(node));
  given.valid_to := args ->> 'valid_to';
  perform sec.require_no_other(given);
  insert into sec.role_grant (employee_id, role, node_id, department_code, valid_from, valid_to)
  values (given.employee_id, given.role, given.node_id, given.department_code, given.valid_from, given.valid_to)
  returning * into given;
  insert into sec.audit (event, subject, detail)
  values ('ROLE_GRANTED', format('employee %s', given.employee_id),
          concat_ws(' ', given.role, 'of node ' || given.node_id, 'department ' || given.department_code));
  set constraints all immediate;
  return (select to_jsonb(g) from own.role_grant g where g.role_grant_id = given.role_grant_id);
end $$;
comment on function own.grant_role(jsonb) is
  'Gives an employee a role: in the chain, in a store, or in a department. A lease says its days.';

create or replace function own.end_grant(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before sec.role_grant;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'role_grant_id uuid!; version text'));
  select * into before from sec.role_grant g where g.role_grant_id = (args ->> 'role_grant_id')::uuid and not g.deleted for update;
  if before.role_grant_id is null then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select g.etag from own.role_grant g where g.role_grant_id = before.role_grant_id));
  update sec.role_grant g set deleted = true where g.role_grant_id = before.role_grant_id;
  insert into sec.audit (event, subject, detail)
  values ('ROLE_TAKEN', format('employee %s', before.employee_id),
          concat_ws(' ', before.role, 'of node ' || before.node_id, 'department ' || before.department_code));
  return jsonb_build_object('role_grant_id', before.role_grant_id, 'deleted', true);
end $$;
comment on function own.end_grant(jsonb) is 'Takes a role away at once. One that ends on a day has its valid_to from the start.';

create or replace function own.make_password_link(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  until timestamptz;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; link_hash hex32!; expires_at instant'));
  until := coalesce((args ->> 'expires_at')::timestamptz, date_trunc('second', now()) + interval '1 day');
  if until <= now() or until > now() + interval '7 days' then
    perform sec.refuse_faults(sec.fault('/expires_at', 'range', 'it is within the next seven days'));
  end if;
  perform sec.make_password_link((args ->> 'employee_id')::uuid, decode(args ->> 'link_hash', 'hex'), until);
  return jsonb_build_object('employee_id', args ->> 'employee_id', 'expires_at', until);
end $$;
comment on function own.make_password_link(jsonb) is
  'Makes a link by which an employee sets a password, once. Only the hash of its secret is kept.';

create or replace function own.register_gateway_key(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'node code!; public_key key32!'));
  perform sec.register_gateway_key(args ->> 'node', args ->> 'public_key');
  return jsonb_build_object('node', args ->> 'node', 'registered', true);
end $$;
comment on function own.register_gateway_key(jsonb) is
  'Registers the public key of a store''s gateway, which passwords of those who work there are sealed for.';

create or replace function sec.require_all_of(employee uuid) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- At a store what counts of her grants is what holds there.
  here integer := (select n.node_id from org.node n where n.node_id = org.this_node() and n.kind = 'store');
begin
  if exists (select from sec.role_grant g
              where g.employee_id = require_all_of.employee and not g.deleted
                and coalesce(g.valid_to, 'infinity') >= sec.today(g.node_id)
                and (here is null or g.node_id is null or g.node_id = here)
                and not tpv.may_see(coalesce(here, g.node_id), g.department_code, null)) then
    raise exception 'she has a role beyond what you look after' using errcode = 'TP403';
  end if;
end $$;
comment on function sec.require_all_of(uuid) is
  'Refuses whoever may not look wherever an employee has a role as far as this node goes: what keeps her '
  'out here keeps her out of all of it.';

create or replace function own.block(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  employee uuid;
begin
  perform sec.require('employee.block');
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; why why!'));
  employee := args ->> 'employee_id';
  if not exists (select from own.employee e where e.employee_id = employee) then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_all_of(employee);
  insert into sec.block as b (employee_id, why) values (employee, args ->> 'why') on conflict (employee_id) do nothing;
  if not found then
    perform sec.refuse_conflict('she is blocked already', 'state');
  end if;
  insert into sec.audit (event, subject, detail) values ('BLOCKED', format('employee %s', employee), args ->> 'why');
  return jsonb_build_object('employee_id', employee, 'blocked', true, 'sessions_ended', sec.end_sessions(employee, null, 'REVOKED'));
end $$;
comment on function own.block(jsonb) is
  'Keeps an employee out at this node, whatever central says, and ends her sessions here.';

create or replace function own.unblock(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  employee uuid;
begin
  perform sec.require('employee.block');
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; why why!'));
  employee := args ->> 'employee_id';
  if not exists (select from own.employee e where e.employee_id = employee) then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_all_of(employee);
  if exists (select from sec.block b
              cross join lateral jsonb_to_recordset(coalesce(b.scope, '[{}]')) as s (node integer, department text)
              where b.employee_id = employee and not tpv.may_see(s.node, s.department, null)) then
    raise exception 'somebody blocked her who looks after more than you' using errcode = 'TP403';
  end if;
  delete from sec.block b where b.employee_id = employee;
  if not found then
    perform sec.refuse_conflict('she is not blocked', 'state');
  end if;
  insert into sec.audit (event, subject, detail) values ('UNBLOCKED', format('employee %s', employee), args ->> 'why');
  return jsonb_build_object('employee_id', employee, 'blocked', false);
end $$;
comment on function own.unblock(jsonb) is
  'Lets an employee in again who was blocked at this node, by whoever has at least the scope of the one '
  'who blocked her.';
-- end functions/own/employee.sql
-- begin functions/own/grant.sql
create or replace function own.change_grant(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  changes jsonb := args -> 'changes';
  faults jsonb;
  before sec.role_grant;
  after sec.role_grant;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'role_grant_id uuid!; version text; changes object!'));
  faults := tpv.form_faults(changes, 'valid_from date; valid_to date');
  if changes -> 'valid_from' = 'null' then
    faults := faults || sec.fault('/valid_from', 'missing', 'it cannot be taken away');
  end if;
  perform sec.refuse_faults(faults);
  select * into before from sec.role_grant g where g.role_grant_id = (args ->> 'role_grant_id')::uuid and not g.deleted for update;
  if before.role_grant_id is null then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select g.etag from own.role_grant g where g.role_grant_id = before.role_grant_id));
  after := jsonb_populate_record(before, changes);
  if after.valid_to < after.valid_from then
    perform sec.refuse_faults(sec.fault('/valid_to', 'order', 'it is before the first day'));
  end if;
  perform sec.require_no_other(after);
  update sec.role_grant g set valid_from = after.valid_from, valid_to = after.valid_to where g.role_grant_id = before.role_grant_id;
  insert into sec.audit (event, subject, detail)
  values ('ROLE_CHANGED', format('employee %s', before.employee_id),
          concat_ws(' ', before.role, 'of node ' || before.node_id, 'department ' || before.department_code,
                    'from', after.valid_from, 'to ' || after.valid_to));
  set constraints all immediate;
  return (select to_jsonb(g) from own.role_grant g where g.role_grant_id = before.role_grant_id);
end $$;
comment on function own.change_grant(jsonb) is
  'Changes the days of a grant; a valid_to of null takes its end away. Where and as what it holds stays: '
  'that is another grant.';
-- end functions/own/grant.sql
-- begin functions/own/chain.sql
create or replace function own.replay(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  item bigint;
begin
  perform sec.require('chain.decide');
  perform sec.refuse_faults(tpv.form_faults(args, 'quarantine_id integer!'));
  item := args ->> 'quarantine_id';
  if not exists (select from own.quarantine q where q.quarantine_id = item) then
    perform sec.refuse_hidden();
  end if;
  begin
    return jsonb_build_object('quarantine_id', item, 'resolved', sync.replay(item));
  exception
    when no_data_found then perform sec.refuse_hidden();
    when data_exception or object_not_in_prerequisite_state then perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return null;
end $$;
comment on function own.replay(jsonb) is 'Tries again what waits in quarantine.';

create or replace function own.dismiss(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  item bigint;
begin
  perform sec.require('chain.decide');
  perform sec.refuse_faults(tpv.form_faults(args, 'quarantine_id integer!; why why!'));
  item := args ->> 'quarantine_id';
  if not exists (select from own.quarantine q where q.quarantine_id = item) then
    perform sec.refuse_hidden();
  elsif not exists (select from own.quarantine q where q.quarantine_id = item and q.resolved_at is null) then
    perform sec.refuse_conflict('it waits no longer', 'state');
  end if;
  perform sync.dismiss(item, args ->> 'why');
  return jsonb_build_object('quarantine_id', item, 'resolved', true);
end $$;
comment on function own.dismiss(jsonb) is 'Takes a row off the quarantine although it was not applied.';

create or replace function own.accept_drift(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  item bigint;
begin
  perform sec.require('chain.decide');
  perform sec.refuse_faults(tpv.form_faults(args, 'drift_id integer!; why why!'));
  item := args ->> 'drift_id';
  if not exists (select from own.drift d where d.drift_id = item) then
    perform sec.refuse_hidden();
  elsif not exists (select from own.drift d where d.drift_id = item and d.resolved_at is null) then
    perform sec.refuse_conflict('it is no longer open', 'state');
  end if;
  perform sync.accept_drift(item, args ->> 'why');
  return jsonb_build_object('drift_id', item, 'resolved', true);
end $$;
comment on function own.accept_drift(jsonb) is 'Accepts a difference that somebody has looked at, so that comparing goes on after it.';

create or replace function sec.check_writer(table_name text) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  writer text := (select t.writer from sync.tracked_table t where t.table_name = check_writer.table_name);
begin
  if writer is null or not sec.may_read_table(check_writer.table_name) then
    perform sec.refuse_hidden();
  elsif writer = 'central' then
    perform sec.decided_by_central();
  end if;
end $$;
comment on function sec.check_writer(text) is
  'Refuses a table that nobody shares or may see, and in a store one that central decides.';

create or replace function own.settle(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.require('conflict.settle');
  perform sec.refuse_faults(tpv.form_faults(args, 'table_name key!; key uuid!; column_name key!; node_id integer!; seq integer!'));
  perform sec.check_writer(args ->> 'table_name');
  if not exists (select from own.sibling s
                  where s.table_name = args ->> 'table_name' and s.key = args ->> 'key' and s.column_name = args ->> 'column_name'
                    and s.node_id = (args ->> 'node_id')::bigint and s.seq = (args ->> 'seq')::bigint) then
    perform sec.refuse_hidden();
  end if;
  begin
    perform sync.resolve_conflict(args ->> 'table_name', args ->> 'key', args ->> 'column_name', (args ->> 'node_id')::integer,
                                  (args ->> 'seq')::bigint);
  exception when data_exception or check_violation then
    perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return args - 'node_id' - 'seq' || '{"settled": true}';
end $$;
comment on function own.settle(jsonb) is 'Settles a conflict: one of its values wins.';

create or replace function own.make_alias(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sec.require('conflict.settle');
  perform sec.refuse_faults(tpv.form_faults(args, 'table_name key!; key uuid!; of_key uuid'));
  perform sec.check_writer(args ->> 'table_name');
  begin
    perform sync.make_alias(args ->> 'table_name', (args ->> 'key')::uuid, (args ->> 'of_key')::uuid);
  exception
    when no_data_found then perform sec.refuse_hidden();
    when data_exception or object_not_in_prerequisite_state then perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return args;
end $$;
comment on function own.make_alias(jsonb) is
  'Makes a row an alias of the one that it duplicates; without of_key a row of its own again.';
-- end functions/own/chain.sql
-- begin functions/own/session.sql
create or replace function own.end_session(args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  known sec.session;
begin
  perform sec.refuse_faults(tpv.form_faults(args, 'session_id uuid!'));
  select * into known from sec.session s where s.session_id = (args ->> 'session_id')::uuid and s.ended_at is null;
  if known.session_id is null
     or known.employee_id is distinct from tpv.acting_employee()
        and not (sec.may('employee.block') and exists (select from own.employee e where e.employee_id = known.employee_id)) then
    perform sec.refuse_hidden();
  end if;
  if known.employee_id is distinct from tpv.acting_employee() then
    perform sec.require_all_of(known.employee_id);
  end if;
  perform sec.end_session(known.session_id, case when known.employee_id = tpv.acting_employee() then 'LOGOUT' else 'REVOKED' end);
  return jsonb_build_object('session_id', known.session_id, 'ended', true);
end $$;
comment on function own.end_session(jsonb) is
  'Ends a session: one of her own, or of somebody whom she may block.';
-- end functions/own/session.sql
-- begin functions/own/scan.sql
create or replace function own.scan(args jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  node integer;
  place text := coalesce(args ->> 'department', '');
  code text := btrim(args ->> 'code');
  today date;
  rules jsonb;
  decoded jsonb;
  found_id uuid;
  product catalog.product;
begin
  perform sec.require('catalog.read');
  perform sec.refuse_faults(tpv.form_faults(args, 'code key!; department key; node integer'));
  node := coalesce((args ->> 'node')::integer, org.this_node());
  -- A place that is not there is not seen either.
  if not tpv.may_see_node(node) or not exists (select from org.node n where n.node_id = node)
     or place <> '' and not tpv.may_see(node, place, null) then
    perform sec.refuse_hidden();
  end if;
  today := sec.today(node);
  found_id := catalog.find_product(node, place, code, today);
  select * into product from catalog.product p where p.product_id = found_id;
  if product.product_id is null then
    perform sec.refuse_hidden();
  end if;
  -- What the label says, by the rules that hold for whoever scans.
  select coalesce(jsonb_agg(r), '[]') into rules
    from jsonb_array_elements(catalog.barcode_rules(node)) r
   where coalesce(r ->> 'department', place) = place
     and today between coalesce((r ->> 'valid_from')::date, '-infinity') and coalesce((r ->> 'valid_to')::date, 'infinity');
  decoded := tpv.barcode_decode(code, rules);
  return jsonb_build_object(
    'product_id', product.product_id, 'sku', product.sku, 'description', product.description, 'unit', product.unit,
    'how', case when exists (select from catalog.barcode b
                              where b.gtin14 = tpv.gtin14(code) and b.product_id = product.product_id and not b.deleted) then 'gtin'
                when tpv.item_digits(code, place, today, rules) is not null then 'rule'
                else 'local' end,
    'gtin14', tpv.gtin14(code),
    'price', catalog.price_at(product.product_id, node, now())::text,
    'tax_rate', catalog.tax_rate_at(coalesce(product.tax_id, (
      select d.tax_id from org.department d where d.node_id = node and d.code = place and not d.deleted)), today)::text,
    'label_kind', decoded ->> 'value_kind',
    'label_value', decoded ->> 'value');
end $$;
comment on function own.scan(jsonb) is
  'What a code means that was scanned or keyed in at a department of a store, what that costs there now, '
  'and what the label itself says: a price, a weight or a count.';
-- end functions/own/scan.sql
-- begin functions/own/once.sql
create or replace function sec.claim_key(key text, fingerprint bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
#variable_conflict use_column
declare
  known sec.idempotency;
begin
  -- Waits for the request of this key that is under way; not for long.
  insert into sec.idempotency (key, fingerprint) values (claim_key.key, claim_key.fingerprint) on conflict do nothing;
  if found then
    return null;
  end if;
  select * into known from sec.idempotency i where i.actor = sec.actor() and i.key = claim_key.key;
  if known.fingerprint is distinct from claim_key.fingerprint then
    raise exception 'that key was used for another request' using errcode = 'TPIDK', hint = 'Each request has a key of its own.';
  end if;
  return known.answer::jsonb;
end $$;
comment on function sec.claim_key(text, bytea) is
  'Takes a key for the request of this transaction: null. The answer when it was done before.';

create or replace function sec.keep_answer(key text, answer jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update sec.idempotency i set answer = keep_answer.answer::text where i.actor = sec.actor() and i.key = keep_answer.key;
end $$;
comment on function sec.keep_answer(text, jsonb) is 'Keeps the answer to the request that has taken a key.';

create or replace function own.once(key text, fingerprint bytea, call text, args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  answer jsonb;
begin
  if not exists (select from sec.resource r where r.kind = 'verb' and r.name = once.call) then
    perform sec.refuse_hidden();
  end if;
  if not exists (select from sec.resource r
                  where r.kind = 'verb' and r.name = once.call and tpv.acting_role() is not null
                    and (r.permission is null or sec.may(r.permission))) then
    raise exception 'the role does not have the permission for that' using errcode = 'TP403';
  end if;
  if once.key is not null then
    answer := sec.claim_key(once.key, once.fingerprint);
    if answer = '{}' then
      perform sec.refuse_conflict('what that request made was erased meanwhile', 'erased');
    elsif answer is not null then
      return jsonb_build_object('answer', answer, 'replayed', true);
    end if;
  end if;
  execute format('select own.%I($1)', once.call) into answer using once.args;
  if once.key is not null then
    perform sec.keep_answer(once.key, answer);
  end if;
  return jsonb_build_object('answer', answer, 'replayed', false);
end $$;
comment on function own.once(text, bytea, text, jsonb) is
  'Calls a function of schema own once for a key, whatever happens to the answer on its way: who asks '
  'again under the key gets the same answer. fingerprint is a hash of the request. Without a key it is '
  'just called.';
do $$
declare
  scoped text;
begin
  for scoped in select 'tpv_' || r.role from sec.role r loop
    execute format('grant execute on function own.once(text, bytea, text, jsonb) to %I', scoped);
  end loop;
end $$;
-- end functions/own/once.sql

select sec.offer(v.verb, v.permission)
  from (values
    ('release', 'receipt.release'), ('void', 'receipt.void'), ('withdraw', 'dat.decide'), ('render_again', 'dat.decide'),
    ('close_day', 'day.close'),
    ('create_customer', 'customer.write'), ('change_customer', 'customer.write'), ('delete_customer', 'customer.write'),
    ('loosen_consent', 'customer.write'), ('erase_customer', 'customer.erase'),
    ('create_employee', 'employee.write'), ('change_employee', 'employee.write'), ('grant_role', 'employee.write'),
    ('end_grant', 'employee.write'), ('change_grant', 'employee.write'), ('make_password_link', 'employee.write'), ('register_gateway_key', 'employee.write'),
    ('block', 'employee.block'), ('unblock', 'employee.block'),
    ('replay', 'chain.decide'), ('dismiss', 'chain.decide'), ('accept_drift', 'chain.decide'),
    ('settle', 'conflict.settle'), ('make_alias', 'conflict.settle'),
    ('scan', 'catalog.read'), ('end_session', null)) as v (verb, permission);
