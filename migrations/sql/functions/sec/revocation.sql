-- Of tables and built-in functions alone: schema own shows the same query.
create or replace view sec.pending_revocation with (security_invoker = true) as
  -- The operation by which central counted last: a register's version is [node, seq, hlc, value].
  -- json and not jsonb, which refuses what a name may hold.
  with counted as (
    select e.employee_id, e.code, r.register, (v.version ->> 0)::integer as writer_id, (v.version ->> 1)::bigint as seq,
           (v.version ->> 2)::bigint as hlc
      from party.employee e
      join sync.head h on h.table_name = 'party.employee' and h.key = e.employee_id::text
     cross join lateral (values ('authz'), ('code')) as r (register)
     cross join lateral json_array_elements(h.heads::json -> r.register) as v (version)
  ), known as (
    select c.*, p.node_id, p.beat_at, coalesce(v.seq, 0) >= c.seq as heard
      from counted c
     cross join sync.peer p
      left join sync.peer_vector v on v.node_id = p.node_id and v.writer_id = c.writer_id
  )
  select a.employee_id, a.code, n.node_code as store, timestamptz 'epoch' + (max(a.hlc) >> 16) * interval '1 millisecond' as since,
         a.beat_at as last_heard_at
    from known a
    join org.node n on n.node_id = a.node_id and n.kind = 'store'
   where a.register = 'authz' and not a.heard
     -- Who is new there has nothing that could end.
     and exists (select from known c where c.employee_id = a.employee_id and c.node_id = a.node_id and c.register = 'code' and c.heard)
     and (exists (select from sec.role_grant g where g.employee_id = a.employee_id and (g.node_id is null or g.node_id = a.node_id))
          or exists (select from sec.verifier r where r.employee_id = a.employee_id and r.node_id = a.node_id))
   group by a.employee_id, a.code, n.node_code, a.beat_at
   order by 4, 2, 3;
comment on view sec.pending_revocation is
  'Employees whose sessions of before central ended (they were disabled or deleted, a grant or the '
  'password was changed), for each store that has not said yet that it has heard. There they may go on '
  'until it has.';
comment on column sec.pending_revocation.employee_id is 'The employee.';
comment on column sec.pending_revocation.code is 'What she logs in with.';
comment on column sec.pending_revocation.store is 'The store.';
comment on column sec.pending_revocation.since is 'When central decided.';
comment on column sec.pending_revocation.last_heard_at is 'When the last heartbeat of the store came.';
