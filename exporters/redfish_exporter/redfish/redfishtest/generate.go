package redfishtest

import "fmt"

type object = map[string]any

// Full makes the tree of a full two-socket server: 24 drives on two controllers, 32 DIMMs,
// two CPUs, two supplies, eight fans, three adapters, with the older Thermal and Power.
func Full() map[string]any {
	t := builder{}
	t.add("/redfish/v1", object{
		"Id": "RootService", "Name": "Root Service", "RedfishVersion": "1.15.0", "Vendor": "Example",
		"Systems": ref("/redfish/v1/Systems"), "Chassis": ref("/redfish/v1/Chassis"), "Managers": ref("/redfish/v1/Managers"),
		"UpdateService": ref("/redfish/v1/UpdateService"),
		"Links":         object{"Sessions": ref("/redfish/v1/SessionService/Sessions")},
	})
	t.system()
	t.chassis()
	t.collection("/redfish/v1/Managers", 1, func(string, int) object {
		return object{"Name": "Manager", "FirmwareVersion": "7.00.00", "PowerState": "On", "Status": healthy()}
	})
	t.add("/redfish/v1/UpdateService", object{"Name": "Update Service", "FirmwareInventory": ref("/redfish/v1/UpdateService/FirmwareInventory")})
	t.collection("/redfish/v1/UpdateService/FirmwareInventory", 18, func(_ string, i int) object {
		return object{"Name": fmt.Sprintf("Component %d", i), "Version": fmt.Sprintf("1.%d", i), "Status": healthy()}
	})
	return t
}

type builder map[string]any

func ref(path string) object { return object{"@odata.id": path} }

func healthy() object { return object{"State": "Enabled", "Health": "OK"} }

func (t builder) add(path string, o object) {
	o["@odata.id"] = path
	if o["@odata.type"] == nil {
		o["@odata.type"] = "#Resource.v1_0_0.Resource"
	}
	t[path] = o
}

// collection adds a collection of n members and returns references to them.
func (t builder) collection(path string, n int, member func(path string, i int) object) []any {
	refs := []any{}
	for i := range n {
		p := fmt.Sprintf("%s/%d", path, i)
		o := member(p, i)
		o["Id"] = fmt.Sprint(i)
		t.add(p, o)
		refs = append(refs, ref(p))
	}
	t.add(path, object{"Name": "Collection", "Members": refs, "Members@odata.count": float64(n)})
	return refs
}

func (t builder) system() {
	t.collection("/redfish/v1/Systems", 1, func(p string, _ int) object {
		t.collection(p+"/Memory", 32, func(m string, i int) object {
			t.add(m+"/MemoryMetrics", object{"Id": "Metrics", "LifeTime": object{"CorrectableECCErrorCount": float64(i), "UncorrectableECCErrorCount": 0.0}})
			return object{
				"Name": fmt.Sprintf("DIMM %d", i), "CapacityMiB": 32768.0, "OperatingSpeedMhz": 4800.0, "Status": healthy(),
				"Manufacturer": "Example", "PartNumber": "M1", "SerialNumber": fmt.Sprint(1000 + i), "Metrics": ref(m + "/MemoryMetrics"),
			}
		})
		t.collection(p+"/Processors", 2, func(_ string, i int) object {
			return object{"Name": fmt.Sprintf("CPU %d", i), "ProcessorType": "CPU", "TotalCores": 32.0, "TotalThreads": 64.0, "MaxSpeedMHz": 3500.0, "Status": healthy()}
		})
		t.collection(p+"/Storage", 2, func(s string, c int) object { return t.storage(s, c) })
		t.collection(p+"/EthernetInterfaces", 4, func(_ string, i int) object {
			return object{"Name": fmt.Sprintf("NIC %d", i), "LinkStatus": "LinkUp", "SpeedMbps": 25000.0, "Status": healthy()}
		})
		return object{
			"Name": "System", "PowerState": "On", "Status": healthy(), "BiosVersion": "2.1.0", "IndicatorLED": "Off",
			"MemorySummary": object{"TotalSystemMemoryGiB": 1024.0, "Status": healthy()}, "ProcessorSummary": object{"Count": 2.0, "Status": healthy()},
			"Memory": ref(p + "/Memory"), "Processors": ref(p + "/Processors"), "Storage": ref(p + "/Storage"),
			"EthernetInterfaces": ref(p + "/EthernetInterfaces"),
		}
	})
}

func (t builder) storage(path string, c int) object {
	drives := []any{}
	for i := range 12 {
		d := fmt.Sprintf("%s/Drives/%d", path, i)
		t.add(d, object{
			"Id": fmt.Sprint(i), "Name": fmt.Sprintf("Disk %d:%d", c, i), "CapacityBytes": 3.84e12, "MediaType": "SSD", "Status": healthy(),
			"PredictedMediaLifeLeftPercent": float64(100 - i), "FailurePredicted": c == 1 && i == 11, "Model": "D1", "SerialNumber": fmt.Sprintf("S%d%02d", c, i),
		})
		drives = append(drives, ref(d))
	}
	t.collection(path+"/Volumes", 1, func(string, int) object {
		return object{"Name": "Volume", "CapacityBytes": 3e13, "RAIDType": "RAID6", "Status": healthy()}
	})
	return object{
		"Name": fmt.Sprintf("Storage %d", c), "Status": healthy(), "Drives": drives, "Volumes": ref(path + "/Volumes"),
		"StorageControllers": []any{object{"MemberId": "0", "Name": "RAID", "FirmwareVersion": "5.1", "Status": healthy()}},
	}
}

func (t builder) chassis() {
	t.collection("/redfish/v1/Chassis", 1, func(p string, _ int) object {
		list := func(n int, entry func(i int) object) []any {
			out := []any{}
			for i := range n {
				o := entry(i)
				o["MemberId"], o["Status"] = fmt.Sprint(i), healthy()
				out = append(out, o)
			}
			return out
		}
		t.add(p+"/Thermal", object{
			"Temperatures": list(10, func(i int) object {
				return object{"Name": fmt.Sprintf("Temp %d", i), "ReadingCelsius": float64(20 + i), "UpperThresholdCritical": 90.0}
			}),
			"Fans": list(8, func(i int) object {
				return object{"Name": fmt.Sprintf("Fan %d", i), "Reading": float64(6000 + i), "ReadingUnits": "RPM"}
			}),
		})
		t.add(p+"/Power", object{
			"PowerControl": list(1, func(int) object {
				return object{"Name": "Power", "PowerConsumedWatts": 412.0, "PowerCapacityWatts": 1600.0}
			}),
			"Voltages": list(12, func(i int) object { return object{"Name": fmt.Sprintf("Rail %d", i), "ReadingVolts": 12.1} }),
			"PowerSupplies": list(2, func(i int) object {
				return object{"Name": fmt.Sprintf("PSU %d", i), "PowerInputWatts": 210.0, "PowerOutputWatts": 200.0, "LineInputVoltage": 230.0, "PowerCapacityWatts": 800.0}
			}),
			"Redundancy": list(1, func(int) object { return object{"Name": "PSU redundancy", "Mode": "N+m"} }),
		})
		t.collection(p+"/NetworkAdapters", 3, func(a string, i int) object {
			t.collection(a+"/Ports", 2, func(_ string, j int) object {
				return object{"Name": fmt.Sprintf("Port %d", j), "LinkStatus": "LinkUp", "CurrentSpeedGbps": 25.0, "Status": healthy()}
			})
			return object{"Name": fmt.Sprintf("Adapter %d", i), "Model": "N1", "Ports": ref(a + "/Ports"), "Status": healthy()}
		})
		t.collection(p+"/PCIeDevices", 8, func(_ string, i int) object {
			return object{"Name": fmt.Sprintf("PCIe %d", i), "Manufacturer": "Example", "Status": healthy()}
		})
		return object{
			"Name": "Chassis", "ChassisType": "RackMount", "PowerState": "On", "Status": healthy(), "Model": "Example 2U",
			"Thermal": ref(p + "/Thermal"), "Power": ref(p + "/Power"), "NetworkAdapters": ref(p + "/NetworkAdapters"), "PCIeDevices": ref(p + "/PCIeDevices"),
			"PhysicalSecurity": object{"IntrusionSensor": "Normal"},
		}
	})
}
