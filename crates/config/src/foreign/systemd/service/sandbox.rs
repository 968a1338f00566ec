//! What a unit shuts its service off from. None of it is done here, and nobody may find that out by accident.

use crate::foreign::finding::Findings;
use crate::foreign::systemd::settings::Settings;
use crate::foreign::systemd::value;

/// Settings of systemd.exec(5) and systemd.resource-control(5) that restrict what a service can reach or do.
const RESTRICTIONS: [&str; 59] = [
    "AppArmorProfile",
    "BindPaths",
    "BindReadOnlyPaths",
    "CapabilityBoundingSet",
    "DeviceAllow",
    "DevicePolicy",
    "IPAddressAllow",
    "IPAddressDeny",
    "IPCNamespacePath",
    "InaccessibleDirectories",
    "InaccessiblePaths",
    "KeyringMode",
    "LoadCredential",
    "LoadCredentialEncrypted",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "MountAPIVFS",
    "MountFlags",
    "MountImages",
    "NetworkNamespacePath",
    "NoExecPaths",
    "PrivateBPF",
    "PrivateDevices",
    "PrivateIPC",
    "PrivateMounts",
    "PrivateNetwork",
    "PrivatePIDs",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyDirectories",
    "ReadOnlyPaths",
    "RemoveIPC",
    "RestrictAddressFamilies",
    "RestrictFileSystems",
    "RestrictNamespaces",
    "RestrictNetworkInterfaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "RootDirectory",
    "RootHash",
    "RootImage",
    "SELinuxContext",
    "SecureBits",
    "SmackProcessLabel",
    "SocketBindAllow",
    "SocketBindDeny",
    "SystemCallArchitectures",
    "SystemCallFilter",
    "TemporaryFileSystem",
];

pub(super) fn translate(settings: &mut Settings<'_>, findings: &mut Findings) {
    dynamic_user(settings, findings);
    for key in RESTRICTIONS {
        for entry in settings.all(key) {
            if value::boolean(&entry.value) == Some(false) {
                findings.unneeded(&entry.origin, key, "nothing is restricted here");
            } else {
                let text = format!("{} is not applied; workers run without it", entry.value);
                findings.lost(&entry.origin, key, text);
            }
        }
    }
}

/// systemd makes a user up; here the service would have the arbiter's own, which may be root.
fn dynamic_user(settings: &mut Settings<'_>, findings: &mut Findings) {
    let Some((entry, true)) = settings.flag("DynamicUser", findings) else { return };
    match settings.last("User") {
        Some(user) => {
            let text = format!(
                "no user is made up: {} must exist, and ProtectSystem=, ProtectHome=, PrivateTmp= and RemoveIPC=, \
                 which it implies, are not applied",
                user.value
            );
            findings.lost(&entry.origin, "DynamicUser", text);
        }
        None => findings.fault_with_hint(
            &entry.origin,
            "DynamicUser=yes without User=: no user is made up here, and the service would run as the user that \
             runs the arbiter, perhaps as root",
            "make a user (`useradd --system NAME`) and write User=NAME",
        ),
    }
}
