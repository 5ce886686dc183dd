//! Everything the watcher counts, with what each number means.

use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// By terminal and outcome.
    pub files: IntCounterVec,
    pub visible: Histogram,
    pub inbox_up: IntGaugeVec,
    pub backlog: IntGaugeVec,
    pub waiting: IntGaugeVec,
    pub name_conflicts: IntCounterVec,
    pub gates: IntGaugeVec,
    pub unrecorded: IntGauge,
    pub pending: IntGauge,
    pub pending_oldest: IntGauge,
    pub withdraw_failed: IntCounter,
    pub fsync_failed: IntCounter,
}

/// What may become of a file.
pub const OUTCOMES: [&str; 4] = ["accepted", "duplicate", "held", "quarantined"];

impl Metrics {
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str| -> prometheus::Result<IntGauge> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let counter = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauges = |name: &str, help: &str, label: &str| -> prometheus::Result<IntGaugeVec> {
            let gauges = IntGaugeVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(gauges.clone()))?;
            Ok(gauges)
        };
        let counters = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<IntCounterVec> {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok(counters)
        };
        let visible = Histogram::with_opts(
            HistogramOpts::new(
                "tpv_visible_seconds",
                "From the last change of a terminal's file to its .dat being visible in out/.",
            )
            .buckets(vec![
                0.002, 0.004, 0.006, 0.008, 0.010, 0.015, 0.020, 0.025, 0.035, 0.050, 0.075, 0.100, 0.150, 0.250,
                0.350, 0.500, 1.0, 2.5, 10.0, 60.0, 600.0,
            ]),
        )?;
        registry.register(Box::new(visible.clone()))?;
        // Memory, descriptors and processor time of the process itself.
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self {
            visible,
            files: counters(
                "tpv_files_total",
                "Files that left their inbox, by terminal and outcome.",
                &["terminal", "outcome"],
            )?,
            inbox_up: gauges("tpv_inbox_up", "1 while the terminal's inbox can be read, else 0.", "terminal")?,
            backlog: gauges("tpv_inbox_files", "Files in the inbox.", "terminal")?,
            waiting: gauges(
                "tpv_inbox_waiting_files",
                "Files in the inbox that are still being written, or are tried again later.",
                "terminal",
            )?,
            name_conflicts: counters(
                "tpv_name_conflicts_total",
                "Times that a .dat could not be published because a foreign file has its name.",
                &["terminal"],
            )?,
            gates: gauges(
                "tpv_breaker_state",
                "0: in service, 1: being tried with a single batch, 2: out of service.",
                "breaker",
            )?,
            unrecorded: gauge(
                "tpv_quarantine_unrecorded_files",
                "Files quarantined by the watcher that the database does not know of yet.",
            )?,
            pending: gauge("tpv_pending_actions", "Decisions of operators that the disk does not show yet.")?,
            pending_oldest: gauge(
                "tpv_pending_oldest_seconds",
                "How long the watcher has known the oldest decision that the disk does not show yet.",
            )?,
            withdraw_failed: counter(
                "tpv_withdraw_failed_total",
                "Withdrawals that came too late: the .dat was gone already. Each needs a person.",
            )?,
            fsync_failed: counter("tpv_fsync_failed_total", "Calls of fsync that failed.")?,
            registry,
        })
    }

    /// A terminal that was found: what may become of its files is counted from 0, since a collector cannot
    /// see the growth of what was not there.
    pub fn terminal_found(&self, terminal: &str) {
        for outcome in OUTCOMES {
            self.files.with_label_values(&[terminal, outcome]);
        }
    }

    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::warn!(%error, "metrics could not be written as text");
        }
        text
    }
}
