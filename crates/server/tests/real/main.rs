//! The built program against programs that we did not write. `cargo x test` finds them, or
//! installs them on CI, and says where they are.

mod dkim;
mod ground;
mod smtpd;
