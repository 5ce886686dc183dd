-- From 0.1.0, which was one store, to 0.2.0, the chain. It only adds: the library still has every symbol that 0.1.0 names, so
-- that a server whose files are new and whose databases are not yet updated goes on working.
-- Written from the difference between the generated SQL of both versions; CONTRIBUTING.md says how, and tests/it/upgrade.rs
-- tells what is missing here.
\echo Use "alter extension pg_tpv update to '0.2.0'" to load this file. \quit

create function take_in_operation() returns trigger language c as 'MODULE_PATHNAME', 'tpv_take_in_operation';
comment on function take_in_operation() is
    'Takes an operation in: a repeat is dropped, one of another node is merged into its row, or stored and quarantined.';
create function take_in_beat() returns trigger language c as 'MODULE_PATHNAME', 'tpv_take_in_beat';
comment on function take_in_beat() is 'Folds a peer''s heartbeat into sync.peer.';
create function take_in_resend() returns trigger language c as 'MODULE_PATHNAME', 'tpv_take_in_resend';
comment on function take_in_resend() is 'Takes in what a peer sent again, or asks for, and does not store it.';
create function forget_rules() returns trigger language c as 'MODULE_PATHNAME', 'tpv_forget_rules';
comment on function forget_rules() is
    'Makes every session look up anew what is tracked and by which rules: for the tables that hold it.';
CREATE  FUNCTION "beat"() RETURNS void
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'beat_wrapper';

comment on function beat() is 'Writes a heartbeat; the background worker calls it every pg_tpv.beat_interval.';

CREATE  FUNCTION "capture_change"(
	"entity" TEXT, /* & str */
	"old" jsonb, /* Option < JsonbText > */
	"new" jsonb /* JsonbText */
) RETURNS void
VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'capture_change_wrapper';

CREATE  FUNCTION "decide"(
	"entity" TEXT, /* & str */
	"key" TEXT, /* & str */
	"column_name" TEXT, /* & str */
	"value" jsonb /* JsonbText */
) RETURNS void
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'decide_wrapper';

CREATE  FUNCTION "follow_chain"(
	"node_id" INT, /* i32 */
	"chain" TEXT, /* & str */
	"from_seq" bigint, /* i64 */
	"from_hash" bytea, /* & [u8] */
	"to_seq" bigint /* i64 */
) RETURNS TABLE (
	"seq" bigint,  /* i64 */
	"hash" bytea,  /* Vec < u8 > */
	"broken" TEXT  /* Option < String > */
)
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'follow_chain_wrapper';

CREATE  FUNCTION "hlc_ahead"() RETURNS bigint /* i64 */
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'hlc_ahead_wrapper';

CREATE  FUNCTION "hlc_now"() RETURNS bigint /* i64 */
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'hlc_now_wrapper';

CREATE  FUNCTION "hlc_observe"(
	"hlc" bigint /* i64 */
) RETURNS bigint /* i64 */
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'hlc_observe_wrapper';

CREATE  FUNCTION "hlc_step_back"() RETURNS bigint /* i64 */
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'hlc_step_back_wrapper';

CREATE  FUNCTION "hlc_time"(
	"hlc" bigint /* i64 */
) RETURNS timestamp with time zone /* TimestampWithTimeZone */
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'hlc_time_wrapper';

comment on function hlc_now() is
    'The next stamp of this node: Unix milliseconds above 16 bits of counter, greater than every one before.';
comment on function hlc_observe(bigint) is
    'Takes note of another node''s stamp. Too far ahead (pg_tpv.max_clock_skew): ignored with a warning, and answers by how many milliseconds; else 0.';
comment on function hlc_time(bigint) is 'The instant in a stamp.';
comment on function hlc_ahead() is 'How many milliseconds this node''s clock is ahead of its wall clock.';
comment on function hlc_step_back() is
    'Sets the clock back to the wall clock, after a person has corrected that. Answers by how many milliseconds.';

CREATE  FUNCTION "is_capturing"() RETURNS bool /* bool */
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'is_capturing_wrapper';

comment on function is_capturing() is 'False while the merge itself writes rows: then nobody decided anything.';
comment on function capture_change(text, jsonb, jsonb) is
    'Writes the operation for a change of a tracked row. The trigger sync.capture calls it at the end of the transaction.';

CREATE  FUNCTION "policy_check"(
	"entity" TEXT, /* & str */
	"column_name" TEXT, /* & str */
	"rule" jsonb /* JsonbText */
) RETURNS void
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'policy_check_wrapper';

CREATE  FUNCTION "policy_dry_run"(
	"entity" TEXT, /* & str */
	"column_name" TEXT, /* & str */
	"rule" jsonb /* JsonbText */
) RETURNS TABLE (
	"key" TEXT,  /* String */
	"value_now" jsonb,  /* Option < JsonbText > */
	"value_then" jsonb,  /* Option < JsonbText > */
	"differs" bool  /* bool */
)
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'policy_dry_run_wrapper';

comment on function policy_check(text, text, jsonb) is 'Refuses a policy that could not be followed, and says why.';
comment on function policy_dry_run(text, text, jsonb) is
    'What another policy would choose among the values on record. Callers use sync.policy_dry_run.';

CREATE  FUNCTION "replay"(
	"quarantine_id" bigint /* i64 */
) RETURNS bool /* bool */
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'replay_wrapper';

comment on function replay(bigint) is
    'Tries an item of sync.quarantine again. True when it is done. Callers use sync.replay.';

CREATE  FUNCTION "resolve"(
	"entity" TEXT, /* & str */
	"key" TEXT /* & str */
) RETURNS TEXT /* String */
STRICT STABLE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'resolve_wrapper';

comment on function resolve(text, text) is 'The key of the thing that this one became. Callers use sync.resolve.';

CREATE  FUNCTION "restore_loser"(
	"entity" TEXT, /* & str */
	"key" TEXT, /* & str */
	"column_name" TEXT, /* & str */
	"node_id" INT, /* i32 */
	"seq" bigint /* i64 */
) RETURNS jsonb /* JsonbText */
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'restore_loser_wrapper';

CREATE  FUNCTION "settle_again"(
	"entity" TEXT, /* & str */
	"key" TEXT, /* & str */
	"column_name" TEXT /* & str */
) RETURNS void
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'settle_again_wrapper';

comment on function restore_loser(text, text, text, integer, bigint) is
    'Gives a losing value its right: see sync.restore_loser.';
comment on function decide(text, text, text, jsonb) is
    'Writes an operation that has seen all values of a column and chooses this one. The trigger sync.restored calls it.';
comment on function settle_again(text, text, text) is 'Chooses among the heads of one column anew, by the policies of now.';

comment on function follow_chain(integer, text, bigint, bytea, bigint) is
    'Follows a chain of a peer link by link, from a document that was followed before. Callers use sync.reconcile.';
