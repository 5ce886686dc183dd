-- Purpose: what people of the chain see and do: views and functions of schema own.
-- Limits:  nobody with a scope has a right on anything else. Each view is the owner's and a barrier,
--          over tables and never over views with the rights of their reader. A list is in the order
--          of its view: a reader's own ORDER BY sorts all that is in scope.
-- Undo:    drop schema own cascade; create schema own.

-- include functions/sec/require.sql
-- include functions/sec/resource.sql
-- include functions/sync/chain_state.sql

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

-- include functions/sec/request.sql
-- include functions/own/receipt.sql
-- include functions/own/customer.sql
-- include functions/own/employee.sql
-- include functions/own/grant.sql
-- include functions/own/chain.sql
-- include functions/own/session.sql
-- include functions/own/scan.sql
-- include functions/own/once.sql

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
