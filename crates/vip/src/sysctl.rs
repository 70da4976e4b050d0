//! Kernel settings that are borrowed: changed for as long as somebody needs them, then put back.

use std::collections::BTreeMap;

use crate::operation::Operation;

/// Settings in use, by path below /proc/sys.
#[derive(Debug, Default)]
pub(crate) struct Borrowed {
    settings: BTreeMap<String, Setting>,
}

#[derive(Debug)]
struct Setting {
    users: u32,
    value: &'static str,
    /// Known once the kernel has answered.
    original: Option<String>,
}

impl Borrowed {
    /// One more user; the first one changes the setting.
    pub(crate) fn acquire(&mut self, path: String, value: &'static str, out: &mut Vec<Operation>) {
        let setting = self.settings.entry(path.clone()).or_insert(Setting { users: 0, value, original: None });
        setting.users += 1;
        if setting.users == 1 {
            out.push(Operation::Sysctl { path, value: value.to_owned() });
        }
    }

    /// One user less; the last one puts the original value back.
    pub(crate) fn release(&mut self, path: &str, out: &mut Vec<Operation>) {
        let Some(setting) = self.settings.get_mut(path) else { return };
        setting.users = setting.users.saturating_sub(1);
        if setting.users > 0 {
            return;
        }
        if let Some(setting) = self.settings.remove(path)
            && let Some(original) = setting.original
            && original != setting.value
        {
            out.push(Operation::Sysctl { path: path.to_owned(), value: original });
        }
    }

    /// The kernel told what the value was before; the first answer is the original.
    pub(crate) fn was(&mut self, path: &str, previous: &str) {
        if let Some(setting) = self.settings.get_mut(path) {
            setting.original.get_or_insert_with(|| previous.to_owned());
        }
    }

    /// The interface is gone and its settings with it.
    pub(crate) fn forget_interface(&mut self, name: &str) {
        self.settings.retain(|path, _| path.split('/').nth(3) != Some(name));
    }

    /// Puts everything back.
    pub(crate) fn release_all(&mut self, out: &mut Vec<Operation>) {
        for (path, setting) in std::mem::take(&mut self.settings) {
            if let Some(original) = setting.original
                && original != setting.value
            {
                out.push(Operation::Sysctl { path, value: original });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_user_sets_and_the_last_one_restores_what_was() {
        let (mut borrowed, mut out) = (Borrowed::default(), Vec::new());
        let path = "net/ipv4/conf/eth0/promote_secondaries";
        borrowed.acquire(path.to_owned(), "1", &mut out);
        borrowed.acquire(path.to_owned(), "1", &mut out);
        borrowed.was(path, "0");
        borrowed.release(path, &mut out);
        assert_eq!(out, [Operation::Sysctl { path: path.to_owned(), value: "1".to_owned() }]);
        out.clear();
        borrowed.release(path, &mut out);
        assert_eq!(out, [Operation::Sysctl { path: path.to_owned(), value: "0".to_owned() }]);
    }

    #[test]
    fn what_was_as_wanted_before_is_left_alone_afterwards() {
        let (mut borrowed, mut out) = (Borrowed::default(), Vec::new());
        borrowed.acquire("net/ipv4/conf/eth0/arp_ignore".to_owned(), "1", &mut out);
        borrowed.was("net/ipv4/conf/eth0/arp_ignore", "1");
        out.clear();
        borrowed.release("net/ipv4/conf/eth0/arp_ignore", &mut out);
        assert_eq!(out, []);
    }

    #[test]
    fn settings_of_a_vanished_interface_are_forgotten() {
        let (mut borrowed, mut out) = (Borrowed::default(), Vec::new());
        borrowed.acquire("net/ipv4/conf/eth0/arp_ignore".to_owned(), "1", &mut out);
        borrowed.was("net/ipv4/conf/eth0/arp_ignore", "0");
        borrowed.forget_interface("eth0");
        out.clear();
        borrowed.release_all(&mut out);
        assert_eq!(out, []);
    }
}
