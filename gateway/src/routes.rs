//! Every route, on one page: who may call it, who answers, and what for. Method, path, permission
//! and sentence go into the document, the metrics and the tests as they stand here.

use std::sync::LazyLock;

use warp::http::Method;

use crate::auth::{jwks, login, me, password, refresh, session};
use crate::http::answer::{Answer, Reply};
use crate::http::problem::Outcome;
use crate::openapi;
use crate::resource::{
    audit, barcode, customer, dat_file, department, drift, employee, gateway_key, local_code, node, pending_revocation,
    price, product, quarantine, raw, receipt, receipt_search, rejected, role_grant, scan, sibling, store, tax,
    terminal,
};
use crate::route::Access::{Person, Public, With};
use crate::route::{Route, download, get, post, same, send};

/// The document of all routes, written once: it is large, and anybody may ask.
fn document() -> Outcome<Answer> {
    static ANSWER: LazyLock<Outcome<Answer>> = LazyLock::new(|| Reply::ok(openapi::document(&all())).into_answer());
    ANSWER.clone()
}

pub fn all() -> Vec<Route> {
    let (delete, patch) = (Method::DELETE, Method::PATCH);
    vec![
        // People.
        post("/v1/auth/login", Public, login::login, "Log in with code and password."),
        post("/v1/auth/refresh", Public, refresh::refresh, "Turn a refresh token into the next pair of tokens."),
        post("/v1/auth/logout", Person, session::logout, "End this session."),
        post("/v1/auth/logout-all", Person, session::logout_all, "End all sessions of yours."),
        post("/v1/auth/password", Person, password::change, "Change your password; your other sessions end."),
        post("/v1/auth/password/link", Public, password::use_link, "Set a password with a link of an admin's, once."),
        get("/v1/auth/sessions", Person, session::list, "Where you are logged in."),
        send(delete.clone(), "/v1/auth/sessions/{session_id}", Person, session::end, "End one session of yours.")
            .once(),
        get("/v1/me", Person, me::show, "Who you are, with which role, and where it holds."),
        post(
            "/v1/employees/{employee_id}/password-link",
            With("employee.write"),
            password::make_link,
            "Make a link by which an employee sets a password, once.",
        ),
        post(
            "/v1/gateway-keys",
            With("employee.write"),
            gateway_key::register,
            "Register the key that passwords are sealed to for a store. At central.",
        )
        .once(),
        get("/.well-known/jwks.json", Public, jwks::show, "The public keys of this gateway.").cacheable(),
        same("/openapi.json", Public, document, "This document.").cacheable(),
        // Places.
        get("/v1/stores", With("store.read"), store::list, "Stores.").cacheable(),
        get("/v1/stores/{node_id}", With("store.read"), store::show, "One store.").cacheable(),
        post(
            "/v1/stores/{node_id}/close-day",
            With("day.close"),
            store::close_day,
            "Close a business day: what comes later gets no .dat by itself. At the store.",
        )
        .once(),
        get("/v1/departments", With("store.read"), department::list, "Departments.").cacheable(),
        get("/v1/departments/{department_id}", With("store.read"), department::show, "One department.").cacheable(),
        get("/v1/terminals", With("store.read"), terminal::list, "Terminals.").cacheable(),
        get("/v1/terminals/{terminal_id}", With("store.read"), terminal::show, "One terminal.").cacheable(),
        // Catalog.
        get("/v1/products", With("catalog.read"), product::list, "Products.").cacheable(),
        get("/v1/products/{product_id}", With("catalog.read"), product::show, "One product.").cacheable(),
        get(
            "/v1/scan/{code}",
            With("catalog.read"),
            scan::show,
            "What a scanned or keyed code is, and costs here now.",
        )
        .cacheable(),
        get(
            "/v1/products/{product_id}/prices",
            With("catalog.read"),
            price::list,
            "Its prices, the newest first: what held, holds and will hold.",
        )
        .cacheable(),
        get("/v1/prices/{price_id}", With("catalog.read"), price::show, "One price.").cacheable(),
        get("/v1/barcodes", With("catalog.read"), barcode::list, "Barcodes.").cacheable(),
        get("/v1/barcodes/{barcode_id}", With("catalog.read"), barcode::show, "One barcode.").cacheable(),
        get(
            "/v1/local-codes",
            With("catalog.read"),
            local_code::list,
            "Codes of scales and departments that are no barcodes.",
        )
        .cacheable(),
        get("/v1/local-codes/{local_code_id}", With("catalog.read"), local_code::show, "One of them.").cacheable(),
        get("/v1/taxes", With("catalog.read"), tax::list, "Taxes with their rates.").cacheable(),
        get("/v1/taxes/{tax_id}", With("catalog.read"), tax::show, "One tax.").cacheable(),
        // Customers.
        get("/v1/customers", With("customer.read"), customer::list, "Customers."),
        post("/v1/customers", With("customer.write"), customer::create, "Make a customer.").creates().once(),
        get("/v1/customers/{customer_id}", With("customer.read"), customer::show, "One customer."),
        send(
            patch.clone(),
            "/v1/customers/{customer_id}",
            With("customer.write"),
            customer::change,
            "Change what is named; null empties.",
        )
        .once()
        .versioned(),
        send(
            delete.clone(),
            "/v1/customers/{customer_id}",
            With("customer.write"),
            customer::delete,
            "Delete a customer; it can be made again.",
        )
        .once()
        .versioned(),
        post(
            "/v1/customers/{customer_id}/erase",
            With("customer.erase"),
            customer::erase,
            "Erase all values of a customer, everywhere and for ever.",
        )
        .once(),
        post(
            "/v1/customers/{customer_id}/consent",
            With("customer.write"),
            customer::loosen_consent,
            "Loosen a consent, which otherwise only grows stricter.",
        )
        .once(),
        // Receipts.
        get("/v1/receipts", With("receipt.read"), receipt_search::list, "Receipts, the newest first."),
        get("/v1/receipts/{node_id}/{receipt_id}", With("receipt.read"), receipt::show, "One receipt."),
        get("/v1/receipts/{node_id}/{receipt_id}/lines", With("receipt.read"), receipt::lines, "Its lines."),
        get(
            "/v1/receipts/{node_id}/{receipt_id}/events",
            With("receipt.read"),
            receipt::events,
            "What was decided about it, by whom and why.",
        ),
        get(
            "/v1/receipts/{node_id}/{receipt_id}/dat",
            With("receipt.read"),
            dat_file::show,
            "The .dat that was published. At the store.",
        ),
        download(
            "/v1/receipts/{node_id}/{receipt_id}/dat/file",
            With("receipt.read"),
            dat_file::download,
            "Its bytes.",
        ),
        get(
            "/v1/receipts/{node_id}/{receipt_id}/raw",
            With("raw.read"),
            raw::list,
            "The files of the terminal, as they came. At the store.",
        ),
        download(
            "/v1/receipts/{node_id}/{receipt_id}/raw/{raw_id}/file",
            With("raw.read"),
            raw::download,
            "The bytes of one of them.",
        ),
        post(
            "/v1/receipts/{node_id}/{receipt_id}/release",
            With("receipt.release"),
            receipt::release,
            "Release a held receipt: its .dat is published. At the store.",
        )
        .once(),
        post(
            "/v1/receipts/{node_id}/{receipt_id}/void",
            With("receipt.void"),
            receipt::void,
            "Void a receipt. At the store.",
        )
        .once(),
        post(
            "/v1/receipts/{node_id}/{receipt_id}/withdraw",
            With("dat.decide"),
            receipt::withdraw,
            "Withdraw its .dat. At the store.",
        )
        .once(),
        post(
            "/v1/receipts/{node_id}/{receipt_id}/render-again",
            With("dat.decide"),
            receipt::render_again,
            "Render its .dat again. At the store.",
        )
        .once(),
        // Files that are no receipts.
        get(
            "/v1/rejected",
            With("raw.read"),
            rejected::list,
            "Files that are no receipts, the newest first. At the store where they came.",
        ),
        get("/v1/rejected/{rejected_id}", With("raw.read"), rejected::show, "One of them, and why."),
        download("/v1/rejected/{rejected_id}/file", With("raw.read"), rejected::download, "Its bytes."),
        // Employees and their roles.
        get("/v1/employees", With("employee.read"), employee::list, "Employees."),
        post("/v1/employees", With("employee.write"), employee::create, "Make an employee. At central.")
            .creates()
            .once(),
        get("/v1/employees/{employee_id}", With("employee.read"), employee::show, "One employee."),
        send(
            patch.clone(),
            "/v1/employees/{employee_id}",
            With("employee.write"),
            employee::change,
            "Change the name, or whether she may log in. At central.",
        )
        .once()
        .versioned(),
        post(
            "/v1/employees/{employee_id}/block",
            With("employee.block"),
            employee::block,
            "Keep an employee out at this node at once, whatever central says.",
        )
        .once(),
        post("/v1/employees/{employee_id}/unblock", With("employee.block"), employee::unblock, "Let her in again.")
            .once(),
        post(
            "/v1/employees/{employee_id}/role-grants",
            With("employee.write"),
            role_grant::create,
            "Give a role: in the chain, a store or a department. At central.",
        )
        .creates()
        .once(),
        get("/v1/role-grants", With("employee.read"), role_grant::list, "Who has which role where."),
        get("/v1/role-grants/{role_grant_id}", With("employee.read"), role_grant::show, "One grant."),
        send(
            patch.clone(),
            "/v1/role-grants/{role_grant_id}",
            With("employee.write"),
            role_grant::change,
            "Change the days of a grant. At central.",
        )
        .once()
        .versioned(),
        send(
            delete.clone(),
            "/v1/role-grants/{role_grant_id}",
            With("employee.write"),
            role_grant::end,
            "Take a role away at once. At central.",
        )
        .once()
        .versioned(),
        get(
            "/v1/pending-revocations",
            With("employee.read"),
            pending_revocation::list,
            "Who still gets in at a store that has not heard.",
        ),
        // The chain.
        get("/v1/nodes", With("chain.read"), node::list, "Each node that this one exchanges rows with, and itself."),
        get("/v1/nodes/{node_id}/{direction}", With("chain.read"), node::show, "One direction of one node."),
        get(
            "/v1/quarantine",
            With("chain.read"),
            quarantine::list,
            "Rows of the chain that wait here or were refused, the newest first.",
        ),
        get("/v1/quarantine/{quarantine_id}", With("chain.read"), quarantine::show, "One of them."),
        post("/v1/quarantine/{quarantine_id}/replay", With("chain.decide"), quarantine::replay, "Try it again.").once(),
        post(
            "/v1/quarantine/{quarantine_id}/dismiss",
            With("chain.decide"),
            quarantine::dismiss,
            "Take it off the quarantine although it was not applied.",
        )
        .once(),
        get("/v1/drift", With("chain.read"), drift::list, "What a peer has and this node has not, the newest first."),
        get("/v1/drift/{drift_id}", With("chain.read"), drift::show, "One of them."),
        post(
            "/v1/drift/{drift_id}/accept",
            With("chain.decide"),
            drift::accept,
            "Accept a difference that somebody has looked at.",
        )
        .once(),
        get("/v1/siblings", With("conflict.read"), sibling::list, "Values that two nodes wrote at once."),
        get(
            "/v1/siblings/{table_name}/{key}/{column_name}",
            With("conflict.read"),
            sibling::show,
            "All values of one column of one row.",
        ),
        post(
            "/v1/siblings/{table_name}/{key}/{column_name}/settle",
            With("conflict.settle"),
            sibling::settle,
            "Say which value wins.",
        )
        .once(),
        post(
            "/v1/aliases/{table_name}/{key}",
            With("conflict.settle"),
            sibling::make_alias,
            "Make a row an alias of the one that it duplicates, or a row of its own again.",
        )
        .once(),
        get("/v1/audit", With("audit.read"), audit::list, "Security events of this node, the newest first."),
        get("/v1/audit/{audit_id}", With("audit.read"), audit::show, "One of them."),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_routes_are_one() {
        let mut seen = HashSet::new();
        for route in all() {
            assert!(seen.insert((route.method.clone(), route.path)), "{} {}", route.method, route.path);
            assert!(route.path.starts_with('/') && !route.about.is_empty());
        }
    }

    #[test]
    fn what_changes_something_is_for_somebody() {
        let public: Vec<_> = all().iter().filter(|r| r.access == Public).map(|r| r.path).collect();
        let expected =
            ["/v1/auth/login", "/v1/auth/refresh", "/v1/auth/password/link", "/.well-known/jwks.json", "/openapi.json"];
        assert_eq!(public, expected);
    }
}
