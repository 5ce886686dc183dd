//! Hashing with argon2id. It costs 19 MiB and some tens of milliseconds of a processor each time:
//! so only a few at once, on threads of their own, and whoever waits too long hears 503.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::password_hash::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use parking_lot::Mutex;
use ring::rand::SecureRandom;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::problem::{Outcome, Problem};

const PATIENCE: Duration = Duration::from_secs(2);

/// What OWASP's cheat sheet on storing passwords asks for: KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);
const OUTPUT_BYTES: usize = 32;

/// What is compared with where there is no password: it takes as long, and never fits.
static DUMMY: LazyLock<String> =
    LazyLock::new(|| hash(b"nobody has this one", &[9; 16], &mut Memory::new()).unwrap_or_default());

/// What one hash is computed in.
type Memory = Vec<Block>;

#[derive(Clone)]
pub struct Hashing {
    permits: Arc<Semaphore>,
    /// Memory that is used again, at most one for each permit. Left to the allocator, each thread
    /// that ever hashed would keep some.
    spare: Arc<Mutex<Vec<Memory>>>,
}

impl Hashing {
    /// One processor is left to everybody else.
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        LazyLock::force(&DUMMY);
        Self { permits: Arc::new(Semaphore::new((processors - 1).max(1))), spare: Arc::default() }
    }

    /// Whether the password is the one of this argon2id string.
    pub async fn verify(&self, phc: Option<String>, password: String) -> Outcome<bool> {
        self.run(move |memory| verify(phc.as_deref(), password.as_bytes(), memory)).await
    }

    /// The argon2id string of a new password.
    pub async fn hash(&self, password: String) -> Outcome<String> {
        let hashed = self.run(move |memory| {
            let mut salt = [0; 16];
            ring::rand::SystemRandom::new().fill(&mut salt).ok()?;
            hash(password.as_bytes(), &salt, memory)
        });
        hashed.await?.ok_or_else(|| {
            tracing::error!("a password could not be hashed");
            Problem::internal().into()
        })
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Outcome<T> {
        let permit = self.permit().await?;
        let spare = Arc::clone(&self.spare);
        // The permit goes with the work: a client that hangs up does not make room for another.
        let done = tokio::task::spawn_blocking(move || {
            let mut memory = spare.lock().pop().unwrap_or_default();
            let done = work(&mut memory);
            spare.lock().push(memory);
            drop(permit);
            done
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "hashing a password failed");
            Problem::internal().into()
        })
    }

    async fn permit(&self) -> Outcome<OwnedSemaphorePermit> {
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned()).await;
        permit.ok().and_then(Result::ok).ok_or_else(|| Problem::unavailable("Too many people log in at once.").into())
    }
}

fn hash(password: &[u8], salt: &[u8], memory: &mut Memory) -> Option<String> {
    let (kib, passes, lanes) = COST;
    let params = Params::new(kib, passes, lanes, Some(OUTPUT_BYTES)).ok()?;
    let mut output = [0; OUTPUT_BYTES];
    compute(Algorithm::Argon2id, Version::V0x13, params, password, salt, &mut output, memory)?;
    let [salt, output] = [salt, &output].map(|bytes| STANDARD_NO_PAD.encode(bytes));
    Some(format!("$argon2id$v=19$m={kib},t={passes},p={lanes}${salt}${output}"))
}

fn verify(phc: Option<&str>, password: &[u8], memory: &mut Memory) -> bool {
    let fits = PasswordHash::new(phc.unwrap_or(&DUMMY)).ok().and_then(|known| fits(&known, password, memory));
    fits == Some(true) && phc.is_some()
}

/// Whether the password is that of a string, which may be one of other costs than ours.
fn fits(known: &PasswordHash<'_>, password: &[u8], memory: &mut Memory) -> Option<bool> {
    let wanted = known.hash?;
    let algorithm = Algorithm::try_from(known.algorithm).ok()?;
    let version = Version::try_from(known.version?).ok()?;
    let mut bytes = [0; 64];
    let salt = known.salt?.decode_b64(&mut bytes).ok()?;
    let mut output = vec![0; wanted.len()];
    compute(algorithm, version, Params::try_from(known).ok()?, password, salt, &mut output, memory)?;
    // Comparing these takes the same time whatever they are.
    Some(Output::new(&output).ok()? == wanted)
}

fn compute(
    algorithm: Algorithm,
    version: Version,
    params: Params,
    password: &[u8],
    salt: &[u8],
    output: &mut [u8],
    memory: &mut Memory,
) -> Option<()> {
    memory.resize(memory.len().max(params.block_count()), Block::default());
    Argon2::new(algorithm, version, params).hash_password_into_with_memory(password, salt, output, memory).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_string_only() {
        let mut memory = Memory::new();
        let phc = hash(b"tres tristes tigres", &[1; 16], &mut memory).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify(Some(&phc), b"tres tristes tigres", &mut memory));
        assert!(!verify(Some(&phc), b"tres tristes gatos", &mut memory));
        assert!(!verify(Some("$argon2id$nonsense"), b"tres tristes tigres", &mut memory));
    }

    #[test]
    fn a_string_of_another_program_fits_too() {
        // Of the test vectors of the reference implementation.
        let phc = "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";
        assert!(verify(Some(phc), b"password", &mut Memory::new()));
    }

    #[test]
    fn nobody_has_the_password_of_nobody() {
        assert!(!verify(None, b"nobody has this one", &mut Memory::new()));
    }

    #[tokio::test]
    async fn memory_is_used_again() {
        let hashing = Hashing::new();
        let attempts = (0..6).map(|_| hashing.verify(None, "guess".to_owned()));
        assert!(futures_util::future::join_all(attempts).await.into_iter().all(|fits| !fits.unwrap()));
        assert!(hashing.spare.lock().len() <= hashing.permits.available_permits());
    }
}
