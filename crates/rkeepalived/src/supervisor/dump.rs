//! Dump files: where keepalived writes them, so that those who read them find them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::ipc::DumpKind;
use crate::logging::error;

/// Writes a dump beside its place and moves it there when it is complete: a reader never sees half of it (keepalived
/// renames before it writes).
pub(super) fn write(global: &conf::Global, umask: u32, kind: DumpKind, content: &str) {
    let path = path(global, kind);
    if let Err(refused) = replace(&path, umask, content) {
        error!("cannot write {}: {refused}; is the directory there, writable and not full?", path.display());
    }
}

fn replace(path: &Path, umask: u32, content: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{:06x}", (sys::clock::wall_micros() ^ u64::from(std::process::id())) & 0xff_ffff));
    let beside = PathBuf::from(beside);
    let written = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o666 & !umask)
        .open(&beside)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// `/tmp/keepalived.data`…, or as `state_dump_file`, `stats_dump_file` and `json_dump_file` say; with `data_use_instance`
/// the namespace and the instance are part of the name.
fn path(global: &conf::Global, kind: DumpKind) -> PathBuf {
    let (configured, default, infix) = match kind {
        DumpKind::Vrrp => (&global.dump_files[0], "keepalived.data", ""),
        DumpKind::Checker => (&global.dump_files[0], "keepalived.data", "_check"),
        DumpKind::Bfd => (&global.dump_files[0], "keepalived.data", "_bfd"),
        DumpKind::Parent => (&global.dump_files[0], "keepalived.data", "_parent"),
        DumpKind::Statistics => (&global.dump_files[1], "keepalived.stats", ""),
        DumpKind::Json => (&global.dump_files[2], "keepalived.json", ""),
    };
    let directory = crate::configuration::temporary_directory();
    let named = match configured {
        Some(path) if path.ends_with('/') => directory.join(path).join(default),
        Some(path) => directory.join(path),
        None => directory.join(default),
    };
    let mut suffix = infix.to_owned();
    if global.data_use_instance {
        for part in [&global.net_namespace, &global.instance_name].into_iter().flatten() {
            suffix.push('_');
            suffix.push_str(part);
        }
    }
    if suffix.is_empty() {
        return named;
    }
    let stem = named.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let extension = named.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    named.with_file_name(format!("{stem}{suffix}{extension}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_are_where_keepalived_has_them() {
        let mut global = conf::Global::default();
        let name = |global: &conf::Global, kind| path(global, kind).file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(name(&global, DumpKind::Vrrp), "keepalived.data");
        assert_eq!(name(&global, DumpKind::Checker), "keepalived_check.data");
        assert_eq!(name(&global, DumpKind::Statistics), "keepalived.stats");
        global.data_use_instance = true;
        global.instance_name = Some("a".into());
        assert_eq!(name(&global, DumpKind::Json), "keepalived_a.json");
        global.dump_files[0] = Some("/var/dumps/".into());
        assert_eq!(path(&global, DumpKind::Parent), Path::new("/var/dumps/keepalived_parent_a.data"));
    }
}
