//! What must be true before anything is applied. One query gathers it, pure code judges it, and all
//! faults are reported at once, since the person who removes them is often another one, who should
//! be asked only once.

use tokio_postgres::Client;

use crate::history;

/// What the database says about itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// As in `server_version_num`: 150004.
    pub server: i32,
    pub encoding: String,
    pub standby: bool,
    /// The version that is in this database, and the one whose files are on the server.
    pub extension: Option<String>,
    pub available: Option<String>,
    /// None when the caller may not see it.
    pub preload: Option<String>,
    /// The extension's settings are known in a fresh session: its library was loaded at start.
    pub has_settings: bool,
    pub cron: bool,
    pub owner: bool,
    pub caller: String,
    pub may_set_owner: bool,
    /// Rights that tpv_owner lacks, in words.
    pub missing_grants: Vec<String>,
}

/// Something in the way, and what a superuser does about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub what: String,
    pub remedy: String,
}

const FACTS: &str = "
select current_setting('server_version_num')::int4,
       current_setting('server_encoding'),
       pg_is_in_recovery(),
       (select extversion from pg_extension where extname = 'pg_tpv'),
       (select default_version from pg_available_extensions where name = 'pg_tpv'),
       case when pg_has_role(current_user, 'pg_read_all_settings', 'usage')
            then current_setting('shared_preload_libraries') end,
       exists (select from pg_settings where name like 'pg\\_tpv.%'),
       exists (select from pg_extension where extname = 'pg_cron'),
       exists (select from pg_roles where rolname = 'tpv_owner'),
       session_user::text,
       coalesce((select pg_has_role(session_user, oid,
                                    case when current_setting('server_version_num')::int4 < 160000
                                         then 'member' else 'set' end)
                 from pg_roles where rolname = 'tpv_owner'), false)";

/// One row for each right that tpv_owner lacks. What bootstrap.sql grants, and nothing else.
const MISSING_GRANTS: &str = "
select lacks.what
from pg_roles owner
cross join lateral (
    select 'attribute CREATEROLE' where not owner.rolcreaterole
    union all
    select 'CREATE on this database' where not has_database_privilege(owner.oid, current_database(), 'create')
    union all
    select 'USAGE on schema ' || nspname from pg_namespace
    where nspname in ('cron', 'tpv') and not has_schema_privilege(owner.oid, oid, 'usage with grant option')
    union all
    select format('EXECUTE on %s functions of schema tpv', count(*)) from pg_proc
    where pronamespace = (select oid from pg_namespace where nspname = 'tpv')
      and not has_function_privilege(owner.oid, oid, 'execute with grant option')
    having count(*) > 0
    union all
    select 'SET on parameter pg_tpv.maintenance'
    where not has_parameter_privilege(owner.oid, 'pg_tpv.maintenance', 'set')
) lacks (what)
where owner.rolname = 'tpv_owner'";

pub async fn facts(client: &Client) -> Result<Facts, tokio_postgres::Error> {
    let row = client.query_one(FACTS, &[]).await?;
    let server: i32 = row.get(0);
    // Rights on parameters came with 15; an older server has its fault already.
    let lacks = if server >= 150_000 { client.query(MISSING_GRANTS, &[]).await? } else { Vec::new() };
    Ok(Facts {
        server,
        encoding: row.get(1),
        standby: row.get(2),
        extension: row.get(3),
        available: row.get(4),
        preload: row.get(5),
        has_settings: row.get(6),
        cron: row.get(7),
        owner: row.get(8),
        caller: row.get(9),
        may_set_owner: row.get(10),
        missing_grants: lacks.iter().map(|row| row.get(0)).collect(),
    })
}

/// What is not as the migrations made it. Empty before they have run, and for one who may not ask.
pub async fn setup_faults(client: &Client) -> Result<Vec<Fault>, tokio_postgres::Error> {
    const CAN_ASK: &str = "select to_regprocedure('sync.setup_faults()') is not null
        and has_function_privilege(to_regprocedure('sync.setup_faults()'), 'execute')";
    if !client.query_one(CAN_ASK, &[]).await?.get::<_, Option<bool>>(0).unwrap_or(false) {
        return Ok(Vec::new());
    }
    let rows = client.query("select what, remedy from sync.setup_faults()", &[]).await?;
    Ok(rows.iter().map(|row| Fault { what: row.get(0), remedy: row.get(1) }).collect())
}

/// Everything that is in the way of the migrations for this version of the extension; empty when
/// they can be applied.
pub fn faults(facts: &Facts, wanted: &str) -> Vec<Fault> {
    if facts.extension.as_deref() == Some(history::UNSUPPORTED) {
        // Whatever else is in the way, nothing leads on from here.
        let what = format!("the extension pg_tpv is {}", history::UNSUPPORTED);
        return vec![Fault { what, remedy: history::NO_WAY_ON.to_owned() }];
    }
    let mut faults = Vec::new();
    let mut fault = |what: String, remedy: String| faults.push(Fault { what, remedy });
    let major = facts.server / 10_000;
    if !(15..=18).contains(&major) {
        fault(format!("the server is PostgreSQL {major}"), "tpv runs on 15 to 18".to_owned());
    }
    if facts.standby {
        fault("the server is a standby".to_owned(), "connect to the primary".to_owned());
    }
    if facts.encoding != "UTF8" {
        fault(
            format!("the database's encoding is {}", facts.encoding),
            "make the database with: create database NAME owner tpv_owner encoding 'UTF8' template template0"
                .to_owned(),
        );
    }
    let preloaded = facts.preload.as_deref().map_or(facts.has_settings, |libraries| names(libraries, "pg_tpv"));
    if !preloaded {
        fault(
            "pg_tpv is not loaded when the server starts".to_owned(),
            "add pg_tpv to shared_preload_libraries in postgresql.conf and restart the server".to_owned(),
        );
    }
    if let Some((what, remedy)) = extension_fault(facts, wanted) {
        fault(what, remedy);
    }
    if !facts.cron {
        fault(
            "the extension pg_cron is not in this database".to_owned(),
            "install the package postgresql-NN-cron, add pg_cron to shared_preload_libraries, set cron.database_name to \
             this database, restart; then run what `tpv-migrate bootstrap-sql` prints"
                .to_owned(),
        );
    }
    if !facts.owner {
        fault("there is no role tpv_owner".to_owned(), "run what `tpv-migrate bootstrap-sql` prints".to_owned());
    } else if !facts.may_set_owner {
        fault(
            format!("the role {} may not become tpv_owner", facts.caller),
            format!("connect as a superuser, or: grant tpv_owner to {}", facts.caller),
        );
    }
    if !facts.missing_grants.is_empty() {
        fault(
            format!("tpv_owner lacks {}", facts.missing_grants.join(", ")),
            "run what `tpv-migrate bootstrap-sql` prints; after an upgrade of the extension too".to_owned(),
        );
    }
    faults
}

fn extension_fault(facts: &Facts, wanted: &str) -> Option<(String, String)> {
    let files = match facts.available.as_deref() {
        Some(version) if version == wanted => String::new(),
        Some(version) => format!("install the files of pg_tpv {wanted} on the server, which has {version}; then "),
        None => format!("install the files of pg_tpv {wanted} on the server; then "),
    };
    let Some(here) = facts.extension.as_deref() else {
        return Some((
            "the extension pg_tpv is not in this database".to_owned(),
            format!("{files}run what `tpv-migrate bootstrap-sql` prints (it says: create extension pg_tpv)"),
        ));
    };
    if here == wanted {
        return None;
    }
    if parts(here) > parts(wanted) {
        return Some((
            format!("the extension pg_tpv is {here}, newer than this program, which was built for {wanted}"),
            format!("use the tpv-migrate of {here}"),
        ));
    }
    Some((
        format!("the extension pg_tpv is {here}; this program was built for {wanted}"),
        format!(
            "{files}restart the server, run here: alter extension pg_tpv update to '{wanted}'; and then what \
             `tpv-migrate bootstrap-sql` prints"
        ),
    ))
}

/// `1.10.0` is newer than `1.9.0`; what is no number counts as 0.
fn parts(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0)).collect()
}

/// Is the library in a list such as `pg_cron, "$libdir/pg_tpv"`?
fn names(libraries: &str, wanted: &str) -> bool {
    libraries.split(',').any(|entry| {
        let path = entry.trim().trim_matches('"');
        let file = path.rsplit('/').next().unwrap_or(path);
        file.strip_suffix(".so").unwrap_or(file) == wanted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENSION: &str = "0.2.0";

    fn faults(facts: &Facts) -> Vec<Fault> {
        super::faults(facts, EXTENSION)
    }

    fn good() -> Facts {
        Facts {
            server: 150_004,
            encoding: "UTF8".to_owned(),
            standby: false,
            extension: Some(EXTENSION.to_owned()),
            available: Some(EXTENSION.to_owned()),
            preload: Some("pg_cron,pg_tpv".to_owned()),
            has_settings: true,
            cron: true,
            owner: true,
            caller: "postgres".to_owned(),
            may_set_owner: true,
            missing_grants: Vec::new(),
        }
    }

    #[test]
    fn a_bootstrapped_database_has_no_faults() {
        assert_eq!(faults(&good()), []);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let bare = Facts {
            server: 140_000,
            encoding: "SQL_ASCII".to_owned(),
            standby: true,
            extension: None,
            available: None,
            preload: Some(String::new()),
            has_settings: false,
            cron: false,
            owner: false,
            may_set_owner: false,
            missing_grants: vec!["attribute CREATEROLE".to_owned()],
            ..good()
        };
        assert_eq!(faults(&bare).len(), 8);
    }

    #[test]
    fn each_supported_server_is_supported() {
        for (server, count) in [(140_022, 1), (150_000, 0), (160_004, 0), (180_000, 0), (190_000, 1)] {
            assert_eq!(faults(&Facts { server, ..good() }).len(), count, "{server}");
        }
    }

    #[test]
    fn an_older_extension_is_to_be_updated_and_a_newer_one_not() {
        let with = |version: &str| faults(&Facts { extension: Some(version.to_owned()), ..good() });
        assert!(with("0.0.9")[0].remedy.contains("alter extension pg_tpv update to"));
        assert!(with("99.0.0")[0].remedy.contains("use the tpv-migrate of 99.0.0"));
    }

    #[test]
    fn a_database_of_0_1_0_is_refused_by_name_and_for_nothing_else() {
        let old = Facts { extension: Some("0.1.0".to_owned()), cron: false, ..good() };
        let [fault] = &faults(&old)[..] else { panic!("one fault") };
        assert_eq!(fault.what, "the extension pg_tpv is 0.1.0");
        assert!(fault.remedy.starts_with("there is no upgrade from 0.1.0"));
    }

    #[test]
    fn a_caller_who_may_not_see_the_libraries_is_answered_from_the_settings() {
        assert_eq!(faults(&Facts { preload: None, ..good() }), []);
        assert_eq!(faults(&Facts { preload: None, has_settings: false, ..good() }).len(), 1);
    }

    #[test]
    fn a_library_is_found_however_it_is_written() {
        for good in ["pg_tpv", "pg_cron, pg_tpv", "\"pg_tpv\"", "$libdir/pg_tpv", "/x/pg_tpv.so"] {
            assert!(names(good, "pg_tpv"), "{good}");
        }
        for bad in ["", "pg_tpv2", "my_pg_tpv", "pg_cron"] {
            assert!(!names(bad, "pg_tpv"), "{bad}");
        }
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parts("1.10.0") > parts("1.9.9"));
    }
}
