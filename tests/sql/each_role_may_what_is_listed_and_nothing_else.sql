-- Every right of every role on every table, view and sequence of ours. What is not in this list is
-- refused. Whoever adds a table for somebody adds a line here; whoever adds a table for nobody does not.

\ir prelude/store.sql
\ir prelude/privileges.sql

-- Where columns are named, nothing else of the table is meant.
create table test.granted as
select l.role, l.rights, btrim(n, e' \n') as name
from (values
    -- People who read: no body, no reason, no customer, no byte of a file.
    ('tpv_analyst', 'select', 'catalog.barcode; catalog.barcode_rule; catalog.local_code; catalog.price; catalog.product;
        catalog.tax; catalog.tax_rate; org.department; org.legal_entity; org.node; org.store; org.terminal;
        sales.day_close; sales.held; sales.line_tax; sales.receipt; sales.receipt_line; sales.receipt_tax;
        sync.clone; sync.hash_chain; sync.horizon; sync.peer; sync.peer_chain; sync.peer_vector; sync.policy; sync.pruned;
        sync.accepted_snapshot; sync.own_chain; sync.own_said; sync.pruning; sync.restored; sync.second_place; sync.refusal; sync.request; sync.snapshot; sync.status; sync.this_node; sync.tracked_table; sync.verified; wire.beat'),
    -- What sync.status asks.
    ('tpv_analyst', 'select', 'rollup.due; sync.touched'),
    ('tpv_analyst', 'select', 'org.ban (ban_id, node_id, last_seq, joined_seq, banned_at, lifted_at, undone_seq, deleted);
        dat.profile (profile_id, node_id, department_code, version, profile, saved_at);
        sales.receipt_event (node_id, receipt_id, doc_node, doc_id, kind, hlc);
        sync.drift (drift_id, node_id, what, subject, from_seq, to_seq, found_at, requested_at, resolved_at);
        sync.quarantine (quarantine_id, at, node_id, doc_id, business_date, kind, code, resolved_at, seq, entire, tries, try_at);
        wire.doc (node_id, doc_id, business_date, kind, to_node, hlc, schema_version, chain, chain_seq, prev_hash, content_hash);
        wire.op (node_id, seq, hlc, table_name)'),
    ('tpv_analyst', 'select', 'bi.analyst_login; bi.chain_freshness; bi.chain_sales_by_day; bi.concessionaire; bi.conflict; bi.date;
        bi.day_status; bi.department; bi.freshness; bi.held_receipt; bi.number_gap; bi.price_check; bi.product; bi.receipt;
        bi.receipts_by_state; bi.rejected_file; bi.restated_day; bi.sale_line; bi.sales_by_concessionaire; bi.sales_by_day;
        bi.sales_by_department; bi.sales_by_hour; bi.sales_by_item; bi.sales_by_terminal; bi.stopped_selling; bi.store; bi.tax;
        bi.tax_by_day; bi.terminal; bi.terminal_freshness; bi.terminal_success; bi.total_check'),
    -- People who decide. What they decide goes by functions, except about customers. The journal, the
    -- conflicts and the quarantine they read in schema journal, without what is of schema sec.
    ('tpv_operator', 'insert, select, update', 'party.customer'),
    ('tpv_operator', 'select', 'catalog.barcode; catalog.barcode_rule; catalog.local_code; catalog.price; catalog.product;
        catalog.tax; catalog.tax_rate; dat.file; dat.pending; dat.profile; dat.superseded; dat.withdraw_failed;
        journal.erasure; journal.head; journal.loosening; journal.operation; journal.quarantine; journal.resolution; journal.set_aside; journal.sibling;
        org.ban; org.department; org.legal_entity; org.node; org.store; org.terminal;
        sales.day_close; sales.held; sales.line_tax; sales.raw; sales.receipt; sales.receipt_event; sales.receipt_key;
        sales.receipt_line; sales.receipt_tax; sales.rejected; sales.terminal_tail; sec.audit;
        sync.accepted_drift; sync.accepted_snapshot; sync.clone; sync.drift; sync.duplicate; sync.hash_chain; sync.horizon; sync.life; sync.peer; sync.peer_chain; sync.peer_vector; sync.policy;
        sync.own_chain; sync.own_said; sync.pruned; sync.pruning; sync.refusal; sync.restored; sync.second_place; sync.request; sync.snapshot; sync.status; sync.this_node; sync.tracked_table; sync.verified; wire.beat; wire.doc'),
    ('tpv_operator', 'select', 'rollup.bucket; rollup.due; rollup.guess_due; rollup.item; rollup.item_day; rollup.restated; rollup.sales_hour; rollup.tax_day;
        rollup.terminal_day; rollup.until; sync.change; sync.change_head; sync.touched'),
    ('tpv_operator', 'select', 'sync.quarantine (quarantine_id, at, node_id, doc_id, business_date, kind, code, resolved_at, seq, entire, tries, try_at);
        wire.op (node_id, seq, hlc, table_name)'),
    -- What arrives is written with these rights. Nobody logs in as it.
    ('tpv_apply', 'delete, insert, select', 'sync.snapshot_row'),
    ('tpv_apply', 'delete, insert, select, update', 'sales.early_event; sync.awaited; sync.head; sync.quarantine; sync.sibling; sync.snapshot'),
    ('tpv_apply', 'insert', 'sec.audit; sync.set_aside; sync.touched'),
    ('tpv_apply', 'insert, select', 'wire.beat; wire.doc; wire.op; wire.resend'),
    ('tpv_apply', 'insert, select, update', 'catalog.barcode; catalog.barcode_rule; catalog.local_code; catalog.price;
        catalog.product; catalog.tax; catalog.tax_rate; dat.profile; org.ban; org.department; org.legal_entity; org.store; org.terminal;
        party.customer; party.employee; sales.day_close; sales.receipt; sales.receipt_event; sales.receipt_line;
        sec.gateway_key; sec.issuer_key; sec.role_grant; sec.verifier; sync.horizon; sync.policy'),
    ('tpv_apply', 'select', 'org.node; sync.hash_chain; sync.op_counter; sync.this_node; sync.tracked_table'),
    ('tpv_apply', 'insert, select, update', 'sync.peer_chain; sync.refusal'),
    ('tpv_apply', 'delete, insert, select, update', 'sync.peer_vector'),
    ('tpv_apply', 'select, update', 'sync.accepted_snapshot; sync.peer'),
    ('tpv_apply', 'select', 'sync.accepted_drift (what, subject, from_seq, to_seq)'),
    -- The background worker. The rest it does by functions.
    ('tpv_worker', 'insert, select', 'wire.beat'),
    ('tpv_worker', 'insert, select, update', 'sync.beat_counter'),
    ('tpv_worker', 'select', 'sync.clone; sync.hash_chain; sync.this_node; sync.verified'),
    ('tpv_worker', 'delete, select', 'sync.request'),
    ('tpv_worker', 'update', 'sync.request (requested_at)'),
    -- The fold. It reads what it sums up.
    ('tpv_fold', 'select', 'sync.quarantine (node_id, doc_id, resolved_at)'),
    ('tpv_fold', 'select', 'catalog.barcode_rule; org.node; sales.day_close; sales.receipt; sales.receipt_line; sync.peer; sync.this_node; wire.beat'),
    ('tpv_fold', 'delete, select', 'sync.touched'),
    ('tpv_fold', 'insert, select', 'sync.change'),
    ('tpv_fold', 'select, update', 'sync.change_head'),
    ('tpv_fold', 'insert', 'rollup.restated'),
    ('tpv_fold', 'delete, insert, select, update', 'rollup.bucket; rollup.due; rollup.guess_due; rollup.item; rollup.item_day; rollup.sales_hour;
        rollup.tax_day; rollup.terminal_day; rollup.until; tpv_lock.fold')
    -- tpv_watcher, tpv_cron and tpv_peer have nothing, and neither have the logins of the gateway
    -- and everybody.
) as l (role, rights, names) cross join lateral string_to_table(l.names, ';') n
union all
-- People with a scope read views of schema own, each those that sec.permission lets them, and nothing
-- else of any schema.
select 'tpv_' || r.role, 'select', 'own.' || v.name
from sec.role r join sec.resource v on v.kind = 'view'
where v.permission is null
    or exists (select from sec.permission p where p.role = r.role and p.permission = v.permission);

create view test.is_granted as
with ours as (
    select c.* from pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not c.relispartition
        and c.relnamespace::regnamespace::text
            in ('bi', 'rollup', 'org', 'wire', 'sync', 'catalog', 'party', 'dat', 'sales', 'sec', 'own', 'journal', 'tpv', 'tpv_lock', 'tpv_migration')
), whole as (
    select a.grantee, string_agg(lower(a.privilege_type), ', ' order by a.privilege_type) as rights, o.oid::regclass::text as name
    from ours o cross join lateral aclexplode(o.relacl) a
    where a.grantee <> o.relowner group by a.grantee, o.oid
), column_right as (
    select a.grantee, lower(a.privilege_type) as rights, o.oid::regclass::text as name, t.attname, t.attnum
    from ours o join pg_attribute t on t.attrelid = o.oid cross join lateral aclexplode(t.attacl) a
), part as (
    select grantee, rights, format('%s (%s)', name, string_agg(attname, ', ' order by attnum)) as name
    from column_right group by grantee, rights, name
)
select case when grantee = 0 then 'everybody' else grantee::regrole::text end as role, rights, name
from (select * from whole union all select * from part) g;

do $$
declare
    wrong text;
begin
    assert (select count(*) from test.granted) > 100, 'there is something to compare';
    select string_agg(concat_ws(' ', role, 'may', rights, name), e'\n' order by 1) into wrong
    from (table test.is_granted except table test.granted) t;
    assert wrong is null, e'rights that nobody has listed:\n' || wrong;
    select string_agg(concat_ws(' ', role, 'may not', rights, name), e'\n' order by 1) into wrong
    from (table test.granted except table test.is_granted) t;
    assert wrong is null, e'rights that are listed and not given:\n' || wrong;

    -- Leaves are written by what arrives, and read through their table.
    select string_agg(distinct concat_ws(' ', a.grantee::regrole, a.privilege_type, c.oid::regclass), ', ') into wrong
    from pg_class c cross join lateral aclexplode(c.relacl) a
    where c.relispartition and a.grantee <> c.relowner and c.relnamespace::regnamespace::text in ('wire', 'sales', 'sync')
        and not (a.grantee = 'tpv_apply'::regrole and a.privilege_type in ('INSERT', 'SELECT'));
    assert wrong is null, 'rights on partitions: ' || wrong;
end
$$;

-- Which schemas a role can look into, and nobody makes anything in one.
do $$
declare
    may text;
begin
    select string_agg(role || ': ' || schemas, e'\n' order by role) into may from (
        select a.grantee::regrole::text as role, string_agg(n.nspname, ' ' order by n.nspname) as schemas
        from pg_namespace n cross join lateral aclexplode(n.nspacl) a
        where a.privilege_type = 'USAGE' and a.grantee <> n.nspowner
            and n.nspname in ('bi', 'rollup', 'org', 'wire', 'sync', 'catalog', 'party', 'dat', 'sales', 'sec', 'own', 'journal', 'tpv', 'tpv_lock', 'tpv_migration')
        group by a.grantee) s;
    perform test.equal(may, concat_ws(e'\n',
        'tpv_admin: own sec',
        'tpv_analyst: bi catalog dat org rollup sales sync wire',
        'tpv_apply: catalog dat org party sales sec sync tpv wire',
        'tpv_auditor: own sec',
        'tpv_cashier: own sec',
        'tpv_concessionaire: own sec',
        'tpv_cron: sec sync wire',
        'tpv_fold: catalog org rollup sales sync tpv tpv_lock wire',
        'tpv_gateway_auth: sec',
        'tpv_gateway_user: own sec',
        'tpv_manager: own sec',
        'tpv_monitor: sync',
        'tpv_operator: catalog dat journal org party rollup sales sec sync tpv wire',
        'tpv_owner: tpv',
        'tpv_supervisor: own sec',
        'tpv_watcher: dat sales',
        'tpv_worker: sync wire'), 'schemas');
    assert not exists (select from pg_namespace n cross join lateral aclexplode(n.nspacl) a
        where a.privilege_type = 'CREATE' and a.grantee <> n.nspowner and n.nspname !~ '^(pg_|test$|cron$)'
            and a.grantee <> 0 and a.grantee::regrole::text ~ '^tpv_'), 'nobody makes anything in a schema';
    -- A right of a role comes by no detour. Who makes a role is its member from PostgreSQL 16 on, to administer it: that
    -- member has none of its rights and cannot become it.
    perform test.equal((select coalesce(array_agg(concat_ws(' ', m.member::regrole, 'is', m.roleid::regrole)
            order by m.member::regrole::text, m.roleid::regrole::text), '{}')
        from pg_auth_members m
        where (m.member::regrole::text ~ '^tpv_' or m.roleid::regrole::text ~ '^tpv_')
            and (coalesce(to_jsonb(m) ->> 'inherit_option', 'true')::boolean or coalesce(to_jsonb(m) ->> 'set_option', 'true')::boolean)),
        array['tpv_fold is pg_read_all_stats', 'tpv_gateway_user is tpv_admin', 'tpv_gateway_user is tpv_auditor', 'tpv_gateway_user is tpv_cashier',
            'tpv_gateway_user is tpv_concessionaire', 'tpv_gateway_user is tpv_manager', 'tpv_gateway_user is tpv_supervisor',
            'tpv_owner is tpv_cron', 'tpv_worker is pg_read_all_stats'], 'who is who else');
    perform test.equal((select coalesce(string_agg(rolname, ' ' order by rolname), '') from pg_roles
        where rolname in ('tpv_gateway_user', 'tpv_gateway_system', 'tpv_gateway_auth') and rolinherit), '', 'the gateway is nobody by itself');
end
$$;
