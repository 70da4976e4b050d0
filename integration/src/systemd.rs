//! systemd inside user-mode Linux.
