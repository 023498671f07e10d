#!/bin/bash
# dracut module: first boot, starts and emergencies in the initrd. Sourced by dracut, which defines $initdir,
# $systemdsystemunitdir, $moddir, and the functions inst… and instmods.
# shellcheck disable=SC2154

# Called by dracut.
check() {
    # Without one of these the units would fail on every start: rather no module.
    require_binaries health-checker unshare mount modprobe || return 1
    return 0
}

# What can bring the network up: NetworkManager where the system has it, as dracut itself prefers it.
# Not where an administrator leaves its module out: dracut would leave this one out with it.
has_manager() {
    [ -d "$dracutbasedir/modules.d/35network-manager" ] && [ -x "$dracutsysrootdir/usr/sbin/NetworkManager" ] &&
        [[ " $omit_dracutmodules " != *" network-manager "* ]]
}

# Called by dracut.
depends() {
    # kernel-network-modules: only the drivers. dracut's own module for networkd would start it at
    # every boot.
    echo "systemd systemd-initrd systemd-sysusers udev-rules btrfs kernel-network-modules"
    ! has_manager || echo network-manager
}

# Called by dracut.
installkernel() {
    # Config drives: sticks, CDs and virtual disks, and the file systems that people put on them.
    # Not only what is plugged in now (hostonly=''): the stick comes after the initrd was made.
    hostonly='' instmods xhci_pci xhci_hcd ehci_pci uhci_hcd ohci_pci usb_storage uas sd_mod sr_mod \
        cdrom ata_piix ahci virtio_pci virtio_blk virtio_scsi qemu_fw_cfg
    # SMBIOS strings: systemd loads it, in a virtual machine, where it is there.
    hostonly='' instmods dmi-sysfs
    # The loader's variables, on UEFI.
    hostonly='' instmods efivarfs
    # A network card may be another one than where the initrd was made.
    hostonly='' instmods virtio_net
    hostonly='' instmods vfat nls_cp437 nls_ascii nls_iso8859_1 nls_utf8 ext4 isofs xfs btrfs overlay
}

# Started only where a configuration needs the network: nothing enables it.
install_networkd() {
    inst_sysusers systemd-network.conf
    inst_multiple -o "$systemdutildir"/systemd-networkd "$systemdutildir"/systemd-networkd-wait-online \
        "$systemdutildir"/systemd-network-generator "$systemdutildir"/networkd.conf \
        "$systemdsystemunitdir"/systemd-networkd.service "$systemdsystemunitdir"/systemd-networkd.socket \
        "$systemdnetwork"/99-default.link "$tmpfilesdir"/systemd-network.conf
}

# Called by dracut.
install() {
    local unit settings target="$systemdsystemunitdir/initrd-root-fs.target"

    inst_multiple health-checker unshare mount modprobe
    # By the name that ignition-kargs-helper calls, unless Combustion itself is in this initrd.
    [ -e "$initdir/usr/bin/combustion" ] || ln_r /usr/bin/health-checker /usr/bin/combustion
    # A script with "prepare" runs in here: bash is what nearly all of them name, and these are what
    # they use before the system's own programs are there.
    inst_multiple -o bash cat chmod cp cut date grep head ln ls mkdir mv rm sed sleep sort tail touch tr

    # With a shell dracut runs the first, with `rd.shell=0` only the second.
    inst_hook emergency 90 "$moddir/emergency.sh"
    inst_hook shutdown-emergency 90 "$moddir/emergency.sh"
    inst_multiple -o systemctl

    has_manager || install_networkd
    # Whom a server may be: what the system trusts.
    inst_multiple -o /etc/ssl/ca-bundle.pem /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt
    # Whose configurations are taken.
    inst_multiple -o vmware-rpctool "/etc/health-checker/firstboot.keys/*.pub" \
        "/usr/lib/health-checker/firstboot.keys/*.pub"

    # Whether it may act is asked also where the disk cannot be read.
    for settings in /usr/lib/health-checker/*.yaml /etc/health-checker/*.yaml; do
        [ ! -e "$settings" ] || inst_simple "$settings"
    done

    for unit in firstboot-detect.service firstboot-fetch.service firstboot-apply.service firstboot.target; do
        inst_simple "$systemdsystemunitdir/$unit"
    done
    # The names of Combustion's units, for what orders itself against them.
    ln_r "$systemdsystemunitdir/firstboot-fetch.service" "$systemdsystemunitdir/combustion-prepare.service"
    ln_r "$systemdsystemunitdir/firstboot-apply.service" "$systemdsystemunitdir/combustion.service"

    mkdir -p "$initdir$target.wants" "$initdir$target.requires"
    for unit in firstboot-detect.service firstboot.target; do
        ln_r "$systemdsystemunitdir/$unit" "$target.wants/$unit"
    done
    # Required, so that a failure keeps the root from being entered, whoever is faster.
    for unit in firstboot-fetch.service firstboot-apply.service; do
        ln_r "$systemdsystemunitdir/$unit" "$target.requires/$unit"
    done
}
