//! Numbers that nobody can guess, from the kernel.

use crate::CallError;

/// Fills an array with random bytes.
///
/// # Errors
/// The kernel has no such call, or is not yet ready at boot and was interrupted.
pub fn bytes<const N: usize>() -> Result<[u8; N], CallError> {
    let mut filled = [0_u8; N];
    let mut have = 0;
    while let Some(rest) = filled.get_mut(have..).filter(|rest| !rest.is_empty()) {
        // SAFETY: the pointer and the length are those of one slice, which nobody else uses.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(got) {
            Ok(got) => have += got,
            Err(_) => {
                let error = std::io::Error::last_os_error();
                if error.kind() != std::io::ErrorKind::Interrupted {
                    return Err(CallError::new(format!("get {N} random bytes"), error));
                }
            }
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;
