create or replace view bi.freshness as
  select s.node_id, s.store, u.complete_until, p.received_until, p.verified_until, p.beat_at as heard_at,
         coalesce(d.days, 0)::integer as days_to_sum_up, d.oldest as to_sum_up_since
    from bi.store s
    left join rollup.until u on u.node_id = s.node_id
    left join sync.peer p on p.node_id = s.node_id
    left join (select w.node_id, count(*) as days, min(w.due_at) as oldest from rollup.due w group by w.node_id) d on d.node_id = s.node_id
   where s.is_here;
comment on view bi.freshness is
  'Up to when the figures of a store are complete and verified. Grain: a store whose receipts come to this database. In the '
  'database of a store it has one row.';
comment on column bi.freshness.received_until is
  'Every document that the store recorded before this is in this database. Null in the store''s own, and while it is not known.';
comment on column bi.freshness.verified_until is
  'The same, and compared: the hash chains link up to what the store has. Null in the store''s own, and while it is not known.';
comment on column bi.freshness.heard_at is 'When this database last heard of the store. Null in the store''s own.';
comment on column bi.freshness.days_to_sum_up is 'Business days and departments that are to be summed up again.';
comment on column bi.freshness.to_sum_up_since is 'Since when the one of them that waits longest is due; null when there is none.';

create or replace view bi.terminal_freshness as
  select t.node_id, t.store, t.department, t.terminal, t.is_active, to_timestamp((h.hlc >> 16) / 1000.0) as last_heard_at
    from bi.terminal t
    left join (
      select c.node_id, split_part(c.chain, '~', 1) as terminal, max(c.hlc) as hlc
        from (select o.node_id, o.chain, nullif(o.head_hlc, 0) as hlc from sync.hash_chain o
              union all
              select p.writer_id, p.chain, p.hlc from sync.peer_chain p where p.writer_id = p.node_id) c
       where c.chain <> '' and c.chain !~ '>'
       group by 1, 2) h on h.node_id = t.node_id and h.terminal = t.terminal
   where t.kind = 'department';
comment on view bi.terminal_freshness is
  'When each terminal was last heard. Grain: a store and a terminal. Tills are not here: they send no tickets.';
comment on column bi.terminal_freshness.department is 'The department it belongs to.';
comment on column bi.terminal_freshness.is_active is 'Whether its files are taken in.';
comment on column bi.terminal_freshness.last_heard_at is
  'When the store''s database recorded the last receipt of this terminal: one that is on and sells nothing looks silent. At '
  'central as the store''s last heartbeat said, which may be ahead of the figures. Null when nothing was heard yet.';

create or replace view bi.analyst_login as
  select r.rolname::text as login, l.statement_timeout, l.idle_in_transaction_session_timeout, l.lock_timeout,
         r.rolconnlimit as connection_limit,
         coalesce(l.statement_timeout !~ '^0' and l.idle_in_transaction_session_timeout !~ '^0', false) as is_limited
    from pg_roles r
   cross join lateral (
     -- A login's own setting goes before that of its database; settings of a group count for nobody.
     select max(x.value) filter (where x.name = 'statement_timeout') as statement_timeout,
            max(x.value) filter (where x.name = 'idle_in_transaction_session_timeout') as idle_in_transaction_session_timeout,
            max(x.value) filter (where x.name = 'lock_timeout') as lock_timeout
       from (select distinct on (1) split_part(c.setting, '=', 1) as name, substr(c.setting, strpos(c.setting, '=') + 1) as value
               from pg_db_role_setting d cross join lateral unnest(d.setconfig) as c (setting)
              where d.setrole in (r.oid, 0) and d.setdatabase in (0, (select b.oid from pg_database b where b.datname = current_database()))
              order by 1, d.setrole = 0, d.setdatabase = 0) x) l
   where r.rolcanlogin and not r.rolsuper and pg_has_role(r.oid, 'tpv_analyst', 'usage');
comment on view bi.analyst_login is
  'Logins that read as analysts, and their time limits. Grain: a login. A login without limits can keep a query open for ever, '
  'which holds back vacuum for everybody: docs/analyst.md says how to set them.';
comment on column bi.analyst_login.login is 'Name of the login.';
comment on column bi.analyst_login.statement_timeout is 'How long one of its statements may run; null when nothing limits it.';
comment on column bi.analyst_login.idle_in_transaction_session_timeout is
  'How long it may do nothing inside a transaction; null when nothing limits it.';
comment on column bi.analyst_login.lock_timeout is 'How long it may wait for a lock; null when nothing limits it.';
comment on column bi.analyst_login.connection_limit is 'How many connections it may have at a time; -1 for any number.';
comment on column bi.analyst_login.is_limited is 'Whether both its statements and its idle transactions end by themselves.';
