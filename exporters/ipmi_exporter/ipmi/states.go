package ipmi

import (
	"strconv"
	"strings"
)

// SensorType is what a sensor watches (table 42-3).
type SensorType byte

// EventType is how a sensor's states are to be read (table 42-1).
type EventType byte

// Event types with a special meaning.
const (
	EventThreshold      EventType = 0x01
	EventSensorSpecific EventType = 0x6f
)

// Sensor types that callers treat in their own way.
const (
	TypeTemperature SensorType = 0x01
	TypeVoltage     SensorType = 0x02
	TypeFan         SensorType = 0x04
	TypeProcessor   SensorType = 0x07
	TypePowerSupply SensorType = 0x08
	TypePowerUnit   SensorType = 0x09
	TypeCooling     SensorType = 0x0a
	TypeMemory      SensorType = 0x0c
	TypeDrive       SensorType = 0x0d
	TypeLAN         SensorType = 0x27
	TypeBattery     SensorType = 0x29
)

// Severity is what an active state means for the health of the part.
type Severity byte

// Severities, worst last.
const (
	Info Severity = iota
	Predicted
	Degraded
	Failed
)

// State is one named bit of a discrete sensor.
type State struct {
	Name     string
	Severity Severity
}

// The tables write a state as its name, led by a mark: ! failed, ~ degraded,
// ? failure predicted, nothing for information. An empty name is reserved.
func parseStates(list string) []State {
	if list == "" {
		return nil
	}
	var out []State
	for name := range strings.SplitSeq(list, " ") {
		s := State{Name: name}
		if name != "" {
			switch name[0] {
			case '!':
				s = State{name[1:], Failed}
			case '~':
				s = State{name[1:], Degraded}
			case '?':
				s = State{name[1:], Predicted}
			case '-':
				s = State{}
			}
		}
		out = append(out, s)
	}
	return out
}

// genericStates is table 42-2.
func genericStates(e EventType) string {
	switch e {
	case EventThreshold: // as in events; Reading.States has another layout
		return "~lower_non_critical_going_low lower_non_critical_going_high !lower_critical_going_low lower_critical_going_high !lower_non_recoverable_going_low lower_non_recoverable_going_high upper_non_critical_going_low ~upper_non_critical_going_high upper_critical_going_low !upper_critical_going_high upper_non_recoverable_going_low !upper_non_recoverable_going_high"
	case 0x02:
		return "transition_to_idle transition_to_active transition_to_busy"
	case 0x03:
		return "state_deasserted state_asserted"
	case 0x04:
		return "predictive_failure_deasserted ?predictive_failure_asserted"
	case 0x05:
		return "limit_not_exceeded ~limit_exceeded"
	case 0x06:
		return "performance_met ~performance_lags"
	case 0x07:
		return "transition_to_ok ~transition_to_non_critical_from_ok !transition_to_critical_from_less_severe !transition_to_non_recoverable_from_less_severe ~transition_to_non_critical_from_more_severe !transition_to_critical_from_non_recoverable !transition_to_non_recoverable monitor informational"
	case 0x08:
		return "device_absent device_present"
	case 0x09:
		return "device_disabled device_enabled"
	case 0x0a:
		return "transition_to_running transition_to_in_test transition_to_power_off transition_to_on_line transition_to_off_line transition_to_off_duty ~transition_to_degraded transition_to_power_save !install_error"
	case 0x0b:
		return "fully_redundant ~redundancy_lost ~redundancy_degraded ~non_redundant_sufficient_from_redundant ~non_redundant_sufficient_from_insufficient !non_redundant_insufficient ~redundancy_degraded_from_fully_redundant ~redundancy_degraded_from_non_redundant"
	case 0x0c:
		return "d0_power_state d1_power_state d2_power_state d3_power_state"
	}
	return ""
}

// sensorType is a row of table 42-3: the name and the sensor-specific states.
type sensorType struct{ name, states string }

var sensorTypes = [...]sensorType{
	0x00: {"reserved", ""},
	0x01: {"temperature", ""}, 0x02: {"voltage", ""}, 0x03: {"current", ""}, 0x04: {"fan", ""},
	0x05: {"physical_security", "~general_chassis_intrusion ~drive_bay_intrusion ~io_card_area_intrusion ~processor_area_intrusion ~lan_leash_lost ~unauthorized_dock ~fan_area_intrusion"},
	0x06: {"platform_security", "~secure_mode_violation_attempt ~preboot_user_password_violation ~preboot_setup_password_violation ~preboot_network_boot_password_violation ~other_preboot_password_violation ~out_of_band_access_password_violation"},
	0x07: {"processor", "!ierr !thermal_trip !frb1_bist_failure !frb2_hang_in_post !frb3_startup_failure !configuration_error !smbios_uncorrectable_cpu_complex_error presence_detected ~disabled terminator_presence_detected ~throttled !machine_check_exception ~correctable_machine_check_error"},
	0x08: {"power_supply", "presence_detected !failure_detected ?predictive_failure !input_lost !input_lost_or_out_of_range ~input_out_of_range !configuration_error inactive"},
	0x09: {"power_unit", "power_off power_cycle !240va_power_down !interlock_power_down !ac_lost !soft_power_control_failure !failure_detected ?predictive_failure"},
	0x0a: {"cooling_device", ""}, 0x0b: {"other_units", ""},
	0x0c: {"memory", "~correctable_ecc !uncorrectable_ecc !parity !memory_scrub_failed ~memory_device_disabled ~correctable_ecc_logging_limit_reached presence_detected !configuration_error spare ~throttled !critical_overtemperature"},
	0x0d: {"drive_slot", "drive_present !drive_fault ?predictive_failure hot_spare consistency_check_in_progress ~in_critical_array !in_failed_array ~rebuild_in_progress ~rebuild_aborted"},
	0x0e: {"post_memory_resize", ""},
	0x0f: {"system_firmware_progress", "!system_firmware_error !system_firmware_hang system_firmware_progress"},
	0x10: {"event_logging_disabled", "~correctable_memory_error_logging_disabled event_type_logging_disabled log_area_reset ~all_event_logging_disabled ~sel_full ~sel_almost_full ~correctable_machine_check_error_logging_disabled"},
	0x11: {"watchdog_1", "!bios_reset !os_reset !os_shutdown !os_power_down !os_power_cycle !os_nmi ~os_expired os_pretimeout_interrupt"},
	0x12: {"system_event", "system_reconfigured oem_system_boot_event !undetermined_system_hardware_failure entry_added_to_auxiliary_log pef_action timestamp_clock_synch"},
	0x13: {"critical_interrupt", "~front_panel_nmi !bus_timeout !io_channel_check_nmi !software_nmi !pci_perr !pci_serr !eisa_fail_safe_timeout ~bus_correctable_error !bus_uncorrectable_error !fatal_nmi !bus_fatal_error ~bus_degraded"},
	0x14: {"button", "power_button_pressed sleep_button_pressed reset_button_pressed fru_latch_open fru_service_request_button"},
	0x15: {"module_board", ""}, 0x16: {"microcontroller", ""}, 0x17: {"add_in_card", ""}, 0x18: {"chassis", ""},
	0x19: {"chip_set", "!soft_power_control_failure !thermal_trip"},
	0x1a: {"other_fru", ""},
	0x1b: {"cable_interconnect", "cable_connected !configuration_error"},
	0x1c: {"terminator", ""},
	0x1d: {"system_boot_initiated", "initiated_by_power_up initiated_by_hard_reset initiated_by_warm_reset user_requested_pxe_boot automatic_boot_to_diagnostic os_initiated_hard_reset os_initiated_warm_reset system_restart"},
	0x1e: {"boot_error", "!no_bootable_media !non_bootable_diskette !pxe_server_not_found !invalid_boot_sector ~timeout_waiting_for_boot_source_selection"},
	0x1f: {"os_boot", "a_boot_completed c_boot_completed pxe_boot_completed diagnostic_boot_completed cdrom_boot_completed rom_boot_completed boot_completed installation_started installation_completed ~installation_aborted !installation_failed"},
	0x20: {"os_stop", "!critical_stop_during_os_load !run_time_critical_stop os_graceful_stop os_graceful_shutdown soft_shutdown_initiated_by_pef ~agent_not_responding"},
	0x21: {"slot_connector", "!fault_status identify_status device_installed ready_for_installation ready_for_removal power_off removal_request interlock disabled holds_spare_device"},
	0x22: {"system_acpi_power_state", "s0_g0_working s1_sleeping s2_sleeping s3_sleeping s4_non_volatile_sleep s5_g2_soft_off s4_s5_soft_off g3_mechanical_off sleeping_s1_s2_s3 g1_sleeping s5_entered_by_override legacy_on legacy_off - unknown"},
	0x23: {"watchdog_2", "~timer_expired !hard_reset !power_down !power_cycle - - - - timer_interrupt"},
	0x24: {"platform_alert", "platform_generated_page platform_generated_lan_alert platform_event_trap platform_generated_snmp_trap"},
	0x25: {"entity_presence", "entity_present entity_absent entity_disabled"},
	0x26: {"monitor_asic", ""},
	0x27: {"lan", "!heartbeat_lost heartbeat"},
	0x28: {"management_subsystem_health", "~sensor_access_degraded ~controller_access_degraded !controller_off_line !controller_unavailable !sensor_failure !fru_failure"},
	0x29: {"battery", "?battery_low !battery_failed presence_detected"},
	0x2a: {"session_audit", "session_activated session_deactivated ~invalid_username_or_password ~invalid_password_disable"},
	0x2b: {"version_change", "hardware_change_detected firmware_change_detected !hardware_incompatibility !firmware_incompatibility !invalid_hardware_version !invalid_firmware_version hardware_change_successful firmware_change_successful"},
	0x2c: {"fru_state", "not_installed inactive activation_requested activation_in_progress active deactivation_requested deactivation_in_progress ~communication_lost"},
}

// String is the type's name in snake case.
func (t SensorType) String() string {
	switch {
	case int(t) < len(sensorTypes):
		return sensorTypes[t].name
	case t >= 0xc0:
		return "oem"
	}
	return "reserved"
}

// StatesOf lists the states of a sensor with this type and event type, by bit. OEM types
// and types that the specification leaves open give nil.
func StatesOf(t SensorType, e EventType) []State {
	if e == EventSensorSpecific {
		if int(t) < len(sensorTypes) {
			return parseStates(sensorTypes[t].states)
		}
		return nil
	}
	return parseStates(genericStates(e))
}

// StateName is the name of bit n in states, or "state_n" when it has none.
func StateName(states []State, n int) string {
	if n < len(states) && states[n].Name != "" {
		return states[n].Name
	}
	return "state_" + strconv.Itoa(n)
}

// entityNames is table 43-13.
var entityNames = map[byte]string{
	0x01: "other", 0x02: "unknown", 0x03: "processor", 0x04: "disk", 0x05: "peripheral_bay", 0x06: "system_management_module",
	0x07: "system_board", 0x08: "memory_module", 0x09: "processor_module", 0x0a: "power_supply", 0x0b: "add_in_card",
	0x0c: "front_panel_board", 0x0d: "back_panel_board", 0x0e: "power_system_board", 0x0f: "drive_backplane",
	0x10: "expansion_board", 0x11: "other_system_board", 0x12: "processor_board", 0x13: "power_unit", 0x14: "power_module",
	0x15: "power_management", 0x16: "chassis_back_panel_board", 0x17: "system_chassis", 0x18: "sub_chassis",
	0x19: "other_chassis_board", 0x1a: "disk_drive_bay", 0x1b: "peripheral_bay", 0x1c: "device_bay", 0x1d: "fan",
	0x1e: "cooling_unit", 0x1f: "cable", 0x20: "memory_device", 0x21: "system_management_software", 0x22: "system_firmware",
	0x23: "operating_system", 0x24: "system_bus", 0x25: "group", 0x26: "remote_management_device", 0x27: "external_environment",
	0x28: "battery", 0x29: "processing_blade", 0x2a: "connectivity_switch", 0x2b: "processor_memory_module", 0x2c: "io_module",
	0x2d: "processor_io_module", 0x2e: "management_controller_firmware", 0x2f: "ipmi_channel", 0x30: "pci_bus",
	0x31: "pci_express_bus", 0x32: "scsi_bus", 0x33: "sata_bus", 0x34: "processor_bus", 0x35: "real_time_clock",
	0x37: "air_inlet", 0x40: "air_inlet", 0x41: "processor", 0x42: "system_board",
}

// Name is what kind of part the entity is, "" when the specification has no name for it.
func (e Entity) Name() string { return entityNames[e.ID] }
