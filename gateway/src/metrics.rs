//! Everything the gateway counts, with what each number means.

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

pub struct Metrics {
    registry: Registry,
    /// By method, route and status.
    pub requests: IntCounterVec,
    pub seconds: HistogramVec,
    pub logins: IntCounterVec,
    pub refreshes: IntCounterVec,
    pub throttled: IntCounterVec,
    pub pool: IntGaugeVec,
    pub clients: IntGauge,
    pub refused_clients: IntCounter,
    /// Without labels, and without a number where there is no certificate.
    pub certificate_expiry: IntGaugeVec,
}

/// What may become of a login.
const LOGIN_OUTCOMES: [&str; 5] = ["ok", "refused", "no_role", "throttled", "failed"];

impl Metrics {
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<IntCounterVec> {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok(counters)
        };
        let seconds = HistogramVec::new(
            HistogramOpts::new(
                "tpv_gateway_request_seconds",
                "From the complete head of a request to its answer, by method and route.",
            )
            .buckets(vec![0.000_5, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0]),
            &["method", "route"],
        )?;
        registry.register(Box::new(seconds.clone()))?;
        let pool = IntGaugeVec::new(
            Opts::new("tpv_gateway_pool", "Connections to the database by login: open, free, and requests that wait."),
            &["login", "state"],
        )?;
        registry.register(Box::new(pool.clone()))?;
        let clients = IntGauge::new("tpv_gateway_clients", "Connections of clients that are open.")?;
        registry.register(Box::new(clients.clone()))?;
        let refused_clients =
            IntCounter::new("tpv_gateway_clients_refused_total", "Connections beyond the limits, closed at once.")?;
        registry.register(Box::new(refused_clients.clone()))?;
        let certificate_expiry = IntGaugeVec::new(
            Opts::new(
                "tpv_gateway_certificate_expiry_timestamp_seconds",
                "When the certificate ends that clients are shown now, in seconds since 1970.",
            ),
            &[],
        )?;
        registry.register(Box::new(certificate_expiry.clone()))?;
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let logins = counters("tpv_gateway_logins_total", "Logins by outcome.", &["outcome"])?;
        // Counted from 0, since a collector cannot see the growth of what was not there: whoever guesses begins
        // with many at once.
        for outcome in LOGIN_OUTCOMES {
            logins.with_label_values(&[outcome]);
        }
        Ok(Self {
            requests: counters(
                "tpv_gateway_requests_total",
                "Requests that were answered, by method, route and status.",
                &["method", "route", "status"],
            )?,
            logins,
            refreshes: counters("tpv_gateway_refreshes_total", "Refreshes by outcome.", &["outcome"])?,
            throttled: counters("tpv_gateway_throttled_total", "Requests that had to wait, by what said so.", &["by"])?,
            seconds,
            pool,
            clients,
            refused_clients,
            certificate_expiry,
            registry,
        })
    }

    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::warn!(%error, "metrics could not be written as text");
        }
        text
    }
}
