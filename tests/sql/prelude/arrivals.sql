-- Operations of other nodes, as if their peer had sent them: what came by replication and waited is
-- merged by a replay.

-- An operation arrives. It is merged at once, or waits with this code.
create function test.arrives(node_id integer, seq bigint, hlc bigint, table_name text, key text, patch jsonb,
    base text default '{}', waits text default null) returns void
language plpgsql as $$
declare
    item bigint;
    merged boolean;
begin
    alter table wire.op disable trigger _100_receive;
    insert into wire.op values (node_id, seq, hlc, table_name, key, patch::text, base);
    alter table wire.op enable always trigger _100_receive;
    insert into sync.quarantine (node_id, seq, kind, code, detail)
    values (node_id, seq, table_name, 'OPERATION_NEW', 'it has just come')
    returning quarantine_id into item;
    merged := sync.replay(item);
    perform test.equal(coalesce(test.waits(node_id, seq), 'merged'), coalesce(arrives.waits, 'merged'),
        format('operation %s.%s', node_id, seq));
    perform test.equal(merged, arrives.waits is null,
        format('operation %s.%s is merged, as replay answers', node_id, seq));
end
$$;

-- What the row of a customer says, and why an operation waits.
create function test.customer(key text) returns jsonb language sql as
$$ select to_jsonb(c) from party.customer c where c.customer_id = key::uuid $$;
create function test.waits(node_id integer, seq bigint) returns text language sql as $$
    select q.code from sync.quarantine q
    where q.node_id = waits.node_id and q.seq = waits.seq and q.resolved_at is null
$$;
create function test.heads(table_name text, key text, register text) returns text language sql as $$
    select string_agg((h ->> 0) || '.' || (h ->> 1), ' ' order by n)
    from sync.head s, jsonb_array_elements(s.heads::jsonb -> register) with ordinality as e (h, n)
    where s.table_name = heads.table_name and s.key = heads.key
$$;
