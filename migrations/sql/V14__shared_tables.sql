-- Purpose: what the chain shares, and by which rules.
-- Limits:  as for every tracked table (V8). sync.track adds column deleted where it is not there, and
--          alias_of where there are duplicates.
-- Undo:    as for a tracked table.

select sync.track('org.legal_entity', 'central');
select sync.track('org.store', 'central');
select sync.track('org.department', 'central');
select sync.track('org.terminal', 'central');
select sync.track('org.ban', 'central');
select sync.track('dat.profile', 'central');
select sync.track('catalog.tax', 'central');
select sync.track('catalog.tax_rate', 'central');
select sync.track('catalog.product', 'central');
select sync.track('catalog.barcode', 'central');
select sync.track('catalog.local_code', 'central');
select sync.track('catalog.barcode_rule', 'central');
select sync.track('catalog.price', 'central');
select sync.track('party.customer', 'any', '{"address": ["street", "postcode", "city", "country"]}',
  owner_column => 'home_node_id', duplicates => '{"email": ["email"]}',
  only_stricter => '{"consent": ["none", "email", "all"]}', sets => '{"tags": "union"}');
select sync.track('party.employee', 'central');
select sync.track('sec.gateway_key', 'central');
select sync.track('sec.issuer_key', 'central');
select sync.track('sec.role_grant', 'central');
select sync.track('sec.verifier', 'central');

-- A store is alone before it joins, and has these by then. It keeps them; central decides about
-- them from then on. A concessionaire has no number: it belongs to the store that registered it.
update sync.tracked_table t set own_column = o.own_column
  from (values ('org.legal_entity', '@exists'), ('org.store', 'node_id'), ('org.department', 'node_id'),
               ('org.terminal', 'node_id'), ('dat.profile', 'node_id')) as o (table_name, own_column)
 where t.table_name = o.table_name;

-- Inserted before sync.policy is tracked, since no node decided these: they become no operations.
insert into sync.policy (policy_id, table_name, column_name, rule)
select sync.policy_key('party.customer', p.column_name), 'party.customer', p.column_name, p.rule::jsonb
  from (values
         ('consent', '{"rule": "least", "order": ["none", "email", "all"]}'),
         ('credit_limit', '"review"')) as p (column_name, rule);

select sync.track('sync.policy', 'central');
create trigger _000_lock before insert or update on sync.policy
  for each statement execute function sync.lock_policies();
create trigger _300_check before insert or update on sync.policy
  for each row execute function sync.check_policy();
create trigger _910_choose after insert or update on sync.policy
  for each row execute function sync.policy_changed();
alter table sync.policy enable always trigger _910_choose;
