//! Tax rates that no receipt says are guessed by the catalog. When the catalog says something else, the buckets
//! concerned are due.

use crate::postgres::sql;

/// Items are found by the codes of what has changed, and those whose rate is another one now by asking again.
/// A tax and its rates concern all that was guessed, a department its own buckets, and a rule of barcodes says
/// what an item is.
const GUESS_AGAIN: &str = r"
    with changed as materialized (
      select c.entity, c.key from sync.change c where c.pos > $1 and c.pos <= $2 and c.entity like any ('{catalog.%,org.department}')
    ), product as materialized (
      select c.key as product_id from changed c where c.entity = 'catalog.product'
      union
      select b.product_id from changed c join catalog.barcode b on b.barcode_id = c.key where c.entity = 'catalog.barcode'
      union
      select l.product_id from changed c join catalog.local_code l on l.local_code_id = c.key where c.entity = 'catalog.local_code'
    ), code as materialized (
      select b.gtin14 as gtin14, null as code from catalog.barcode b join product p using (product_id)
      union
      select b.gtin14, null from changed c join catalog.barcode b on b.barcode_id = c.key where c.entity = 'catalog.barcode'
      union
      select null, l.code from catalog.local_code l join product p using (product_id)
      union
      select null, l.code from changed c join catalog.local_code l on l.local_code_id = c.key where c.entity = 'catalog.local_code'
    ), named as materialized (
      select i.node_id, i.department, i.item, i.barcode, i.last_on, i.tax_rate, i.tax_source
        from code c join rollup.item i on i.item = c.gtin14 where i.tax_source is not null
      union
      select i.node_id, i.department, i.item, i.barcode, i.last_on, i.tax_rate, i.tax_source
        from code c join rollup.item i on i.item = 'L:' || i.department || ':' || c.code where i.tax_source is not null
      union
      -- A scale pads the number of an item with zeros.
      select i.node_id, i.department, i.item, i.barcode, i.last_on, i.tax_rate, i.tax_source
        from rollup.item i
       where i.item like 'R:%' and i.tax_source is not null and exists (select from code c where i.item like '%' || c.code)
    ), other as materialized (
      select n.node_id, n.department, n.item
        from named n cross join lateral catalog.line_tax(n.node_id, n.department, n.barcode, null, n.last_on) t
       where (t.rate, t.source) is distinct from (n.tax_rate, n.tax_source)
    ), bucket as (
      select d.node_id, d.business_date, d.department from other o join rollup.item_day d using (node_id, department, item)
      union
      select b.node_id, b.business_date, b.department from rollup.bucket b
       where b.guessed_lines > 0
         and exists (select from changed c where c.entity in ('catalog.tax', 'catalog.tax_rate'))
      union
      select b.node_id, b.business_date, b.department
        from changed c join org.department d on d.department_id = c.key
        join rollup.bucket b on b.node_id = d.node_id and b.department = d.code and b.guessed_lines > 0
       where c.entity = 'org.department'
      union
      select b.node_id, b.business_date, b.department
        from changed c join catalog.barcode_rule r on r.barcode_rule_id = c.key
        join rollup.bucket b on b.node_id = coalesce(r.node_id, b.node_id)
       where c.entity = 'catalog.barcode_rule'
    )
    insert into rollup.due (node_id, business_date, department, round, due_at)
    select b.node_id, b.business_date, b.department, (select h.round from sync.change_head h), clock_timestamp()
      from bucket b order by 1, 2, 3
    on conflict do nothing";

/// Notes what is due since these positions of the change log.
pub fn again(from: i64, to: i64) {
    sql::execute(GUESS_AGAIN, &[from.into(), to.into()]);
}
