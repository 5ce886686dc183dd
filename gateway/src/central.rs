//! What only the gateway of central does, while nobody asks: it seals passwords for the stores where
//! people work, and tells the stores its public keys.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::http::problem::Outcome;
use crate::keys::sealing::seal;

const PAUSE: Duration = Duration::from_secs(2);

pub async fn keep_working(app: Arc<App>) {
    let mut published = Vec::new();
    loop {
        tokio::time::sleep(PAUSE).await;
        if app.node().is_none_or(|node| !node.is_central) {
            continue;
        }
        if let Err(problem) = round(&app, &mut published).await {
            tracing::warn!(code = problem.code, "stores did not get passwords or keys; it will be tried again");
        }
    }
}

async fn round(app: &App, published: &mut Vec<String>) -> Outcome<()> {
    let keys = app.keys.published();
    let now: Vec<_> = keys.iter().map(|key| key.kid.clone()).collect();
    if *published != now {
        // The name of central is its address, where it looks like one.
        let issuer = app.keys.issuer();
        let url = Some(issuer).filter(|name| name.starts_with("https://") || name.starts_with("http://"));
        for key in &keys {
            app.database.publish_issuer_key(&key.kid, &key.public_text(), url).await?;
        }
        for kid in app.keys.retired() {
            app.database.retire_issuer_key(&kid).await?;
        }
        *published = now;
    }
    for due in app.database.verifiers_due(100).await? {
        match seal(&due.public_key, due.phc.as_bytes()) {
            Ok(sealed) => app.database.save_verifier(&due, &sealed).await?,
            Err(error) => tracing::error!(node = due.node, %error, "the key of a store's gateway cannot be used"),
        }
    }
    Ok(())
}
