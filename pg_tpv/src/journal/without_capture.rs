//! Whether a change of a tracked row is somebody's decision.

use std::cell::Cell;

thread_local! {
    static WITHOUT_CAPTURE: Cell<bool> = const { Cell::new(false) };
}

/// Whether a change of a row now is somebody's decision, and not a write of the merge.
pub fn is_capturing() -> bool {
    !WITHOUT_CAPTURE.get()
}

/// Writes rows for the merge. Nobody decided these changes, so they do not become operations.
/// Afterwards, even after an error, the flag has its previous value again: the merge of a policy
/// writes its row, and the trigger on it merges again.
pub fn without_capture<T>(work: impl FnOnce() -> T) -> T {
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            WITHOUT_CAPTURE.set(self.0);
        }
    }
    let _reset = Reset(WITHOUT_CAPTURE.replace(true));
    work()
}
