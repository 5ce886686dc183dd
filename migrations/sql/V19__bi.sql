-- Purpose: schema bi, what analysts read: dimensions, facts and ready answers, as views over the roll-ups, the projections
--          and the catalog. Their names and columns stay; docs/analyst.md has questions and queries.
-- Limits:  views only. Sums are those of schema rollup and follow within seconds: complete_until says up to when. A view of
--          lines is to be asked for a day, a store or a receipt. A database has the stores whose receipts come to it.
-- Undo:    drop schema bi cascade.

create schema bi;
comment on schema bi is
  'What analysts read. One word means the same in every view; each view and column has a comment (\d+ in psql, '
  'docs/dictionary.md). Amounts are in the currency of the store. Receipts that are held or voided are in no sum of sales.';

-- The views are their owner's: an analyst reads sums and refused files here, and not the tables that they come from.
-- A function in a view is called by whoever reads.
-- include functions/bi/dimension.sql
-- include functions/bi/fact.sql
-- include functions/bi/sales.sql
-- include functions/bi/receipts.sql
-- include functions/bi/check.sql
-- include functions/bi/freshness.sql
-- include functions/bi/term.sql

grant usage on schema bi to tpv_analyst;
