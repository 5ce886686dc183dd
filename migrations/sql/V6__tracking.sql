-- Purpose: tracking of tables: what the chain shares, by which rules, and what a person decides
--          about it.
-- Limits:  the primary key of a tracked table is one uuid; a table that every node may write has no
--          UNIQUE, EXCLUDE or FOREIGN KEY beside it, and columns of one CHECK are one group.
-- Undo:    to stop tracking a table, drop its triggers _100_guard, _100_guard_delete,
--          _100_guard_truncate, _200_check and _900_capture; its operations stay.

-- include functions/sync/guard.sql
-- include functions/sync/capture.sql
-- include functions/sync/row_rules.sql
-- include functions/sync/track.sql
-- include functions/sync/conflict.sql
-- include functions/sync/loosen.sql
-- include functions/sync/erase.sql
-- include functions/sync/duplicate.sql
-- include functions/sync/policy.sql

-- Sessions remember what these tables hold until a row of them changes, also by replication. The
-- trigger is the first of its kind at each table, so that those after it follow the new rules.
create trigger _000_forget after insert or update or delete on sync.tracked_table
  for each row execute function tpv.forget_rules();
create trigger _000_forget after insert or update or delete on sync.policy
  for each row execute function tpv.forget_rules();
create trigger _000_forget after insert or update or delete on org.node
  for each row execute function tpv.forget_rules();
alter table sync.tracked_table enable always trigger _000_forget;
alter table sync.policy enable always trigger _000_forget;
alter table org.node enable always trigger _000_forget;

create constraint trigger _900_capture_resolution after insert on sync.resolution deferrable initially deferred
  for each row execute function sync.capture_resolution();

create constraint trigger _900_capture_erasure after insert on sync.erasure deferrable initially deferred
  for each row execute function sync.capture_erasure();

-- Triggers call it for each row of a tracked table, with the rights of whoever writes the row.
grant execute on function tpv.is_capturing() to tpv_apply, tpv_operator;
-- The default of a new row's key.
grant execute on function tpv.uuid7() to tpv_operator;
