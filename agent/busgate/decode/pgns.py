"""The names of J1939 parameter groups, and which of them command something: one table, one row a group.

Law: facts only. A number that is not listed has no name and no class, which says nothing about what it does: unknown
means alert, never benign.

Sources. The commanding groups and their classes: the 144 rows of `tests/vectors/j1939_command_pgns.json`. Groups seen
on a real electric city bus: CSS-Electronics/api-examples (MIT). Groups in public stacks' tests: the rows of
`tests/vectors/j1939.json`. The rest are widely published acronyms of SAE J1939-71, the diagnostic messages of J1939-73
and the groups of J1939-21, J1939-81 and ISO 11783-3. An empty label means that none was published with the acronym.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class CommandClass(StrEnum):
    """What a group commands, in the words of the published table."""

    DRIVE = "drive"
    DRIVE_MOTOR = "drive-motor"
    BRAKE_RETARDER = "drive-brake-status/ctrl"
    """One group for both: the brakes' and retarder's own status, and a request when another node sends it."""
    BMS_HV_CONTACTOR = "bms-hv-contactor"
    BMS_THERMAL = "bms-thermal"
    DCDC = "dcdc"
    CHARGING = "charging"
    POWER_CONVERTER = "power-converter"
    AUX_INVERTER = "aux-inverter"
    PROPRIETARY = "proprietary-p2p"
    DIAGNOSTIC_WRITE = "diagnostic-write"
    NETWORK_MGMT = "network-mgmt"
    ISO_TP_CARRIER = "iso-tp-carrier"
    TRANSPORT = "transport"
    BODY = "body/aux-command"
    REQUEST = "request"


class Group(NamedTuple):
    """A parameter group: its SAE acronym, its label, and what it commands (None when it only tells)."""

    acronym: str
    label: str
    command: CommandClass | None


# fmt: off
_TABLE: tuple[tuple[int, str, str, CommandClass | None], ...] = (
    (0x00000, "TSC1", "Torque/Speed Control 1", CommandClass.DRIVE),
    (0x00100, "TC1", "Transmission Control 1", CommandClass.DRIVE),
    (0x00400, "XBR", "External Brake Request", CommandClass.DRIVE),
    (0x00A00, "CCVS2", "Cruise Control / Vehicle Speed 2", None),
    (0x00B00, "AEBS2", "Advanced Emergency Braking System 2", None),
    (0x00C00, "EEC16", "Electronic Engine Controller 16", None),
    (0x00D00, "TC2", "Transmission Control 2", CommandClass.DRIVE),
    (0x00F00, "HVESP11C1", "High Voltage Energy Storage Pack 11 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01000, "HVESP12C1", "High Voltage Energy Storage Pack 12 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01100, "HVESP13C1", "High Voltage Energy Storage Pack 13 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01200, "HVESP14C1", "High Voltage Energy Storage Pack 14 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01300, "HVESP15C1", "High Voltage Energy Storage Pack 15 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01400, "HVESP16C1", "High Voltage Energy Storage Pack 16 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01500, "HVESP17C1", "High Voltage Energy Storage Pack 17 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01600, "HVESP18C1", "High Voltage Energy Storage Pack 18 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01700, "HVESP19C1", "High Voltage Energy Storage Pack 19 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01800, "HVESP20C1", "High Voltage Energy Storage Pack 20 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01900, "HVESP21C1", "High Voltage Energy Storage Pack 21 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01A00, "HVESP22C1", "High Voltage Energy Storage Pack 22 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01B00, "HVESSC1", "High Voltage Energy Storage System Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x01C00, "TC3", "Transmission Control 3", CommandClass.DRIVE),
    (0x01E00, "ALTC", "Alternator Control", None),
    (0x01F00, "HVESP23C1", "High Voltage Energy Storage Pack 23 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x02000, "HVESP24C1", "High Voltage Energy Storage Pack 24 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x02100, "HVESP25C1", "High Voltage Energy Storage Pack 25 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x02200, "HVESP26C1", "High Voltage Energy Storage Pack 26 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x02500, "CMPDU", "CiA 602-2 Multi-PDU", CommandClass.TRANSPORT),
    (0x02600, "MG1IC", "Motor/Generator 1 Inverter Control", CommandClass.DRIVE_MOTOR),
    (0x02700, "MG2IC", "Motor/Generator 2 Inverter Control", CommandClass.DRIVE_MOTOR),
    (0x02800, "MG1IRLR1", "Motor/Generator 1 Inverter Rate Limits Request 1", CommandClass.DRIVE_MOTOR),
    (0x02900, "MG2IRLR1", "Motor/Generator 2 Inverter Rate Limits Request 1", CommandClass.DRIVE_MOTOR),
    (0x02A00, "HVESP1C1", "High Voltage Energy Storage Pack 1 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x02B00, "HVESP2C1", "High Voltage Energy Storage Pack 2 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x02C00, "HVESP3C1", "High Voltage Energy Storage Pack 3 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x02D00, "HVESP4C1", "High Voltage Energy Storage Pack 4 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x02E00, "HVESP5C1", "High Voltage Energy Storage Pack 5 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x02F00, "HVESP6C1", "High Voltage Energy Storage Pack 6 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x03000, "HVESP7C1", "High Voltage Energy Storage Pack 7 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x03100, "HVESP8C1", "High Voltage Energy Storage Pack 8 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x03200, "HVESP9C1", "High Voltage Energy Storage Pack 9 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x03300, "HVESP10C1", "High Voltage Energy Storage Pack 10 Control 1", CommandClass.BMS_HV_CONTACTOR),
    (0x04D00, "FD.TP.CM", "FD Transport Protocol - Connection Mgmt", CommandClass.TRANSPORT),
    (0x04E00, "FD.TP.DT", "FD Transport Protocol - Data Transfer", CommandClass.TRANSPORT),
    (0x05300, "EVSE1C1", "EVSE 1 Control 1", CommandClass.CHARGING),
    (0x05600, "MG2IC2", "Motor/Generator 2 Inverter Control 2", CommandClass.DRIVE_MOTOR),
    (0x05700, "MG1IC2", "Motor/Generator 1 Inverter Control 2", CommandClass.DRIVE_MOTOR),
    (0x05900, "MG2IIR", "Motor/Generator 2 Inverter Isolation Integrity Request", CommandClass.DRIVE_MOTOR),
    (0x05A00, "MG1IIR", "Motor/Generator 1 Inverter Isolation Integrity Request", CommandClass.DRIVE_MOTOR),
    (0x05B00, "MG2IRP", "Motor/Generator 2 Inverter Limits Request Power", CommandClass.DRIVE_MOTOR),
    (0x05C00, "MG2ILRM", "Motor/Generator 2 Inverter Limits Request Mechanical", CommandClass.DRIVE_MOTOR),
    (0x05D00, "MG2ILRDC", "Motor/Generator 2 Inverter Limits Request DC Side", CommandClass.DRIVE_MOTOR),
    (0x05E00, "MG1ILRDC", "Motor/Generator 1 Inverter Limits Request DC Side", CommandClass.DRIVE_MOTOR),
    (0x05F00, "MG1ILRM", "Motor/Generator 1 Inverter Limits Request Mechanical", CommandClass.DRIVE_MOTOR),
    (0x06000, "MG1IRP", "Motor/Generator 1 Inverter Limits Request Power", CommandClass.DRIVE_MOTOR),
    (0x07D00, "EAMC", "Electrified Accessory Motor Command", CommandClass.BODY),
    (0x08000, "HSC1", "Hybrid System Control 1", CommandClass.DRIVE),
    (0x08500, "CM2", "Cab Message 2", CommandClass.BODY),
    (0x08700, "ESR", "Engine State Requests", CommandClass.DRIVE),
    (0x09300, "NM", "NAME Management Message", CommandClass.NETWORK_MGMT),
    (0x09E00, "DM29", "DTC Counts", None),
    (0x09F00, "DM35", "Immediate Fault Status", None),
    (0x0A000, "DM34", "NTE Status", None),
    (0x0A100, "DM33", "Emission Increasing Auxiliary Emission Control Device Active Time", None),
    (0x0A200, "DM32", "Regulated Exhaust Emission Level Exceedance", None),
    (0x0A300, "DM31", "DTC To Lamp Association", None),
    (0x0A400, "DM30", "Scaled Test Results", None),
    (0x0A900, "FLIC", "Forward Lane Image Command", None),
    (0x0AE00, "TPRS", "Tire Pressure Reference Setting", None),
    (0x0C100, "DM21", "Diagnostic Readiness 2", None),
    (0x0C200, "DM20", "Monitor Performance Ratio", None),
    (0x0C300, "DM22", "Individual Clear/Reset Of Active And Previously Active DTC", CommandClass.DIAGNOSTIC_WRITE),
    (0x0C700, "ETP.DT", "Extended Transport Protocol - Data Transfer", CommandClass.TRANSPORT),
    (0x0C800, "ETP.CM", "Extended Transport Protocol - Connection Management", CommandClass.TRANSPORT),
    (0x0C900, "RQST2", "Request 2", CommandClass.REQUEST),
    (0x0CA00, "XFER", "Transfer", None),
    (0x0CC00, "REQRR", "Request for Repetition Rate", CommandClass.REQUEST),
    (0x0CD00, "DIAG1", "Reserved for ISO 15765-2", CommandClass.ISO_TP_CARRIER),
    (0x0CE00, "DIAG2", "Reserved for ISO 15765-2", CommandClass.ISO_TP_CARRIER),
    (0x0CF00, "CTL", "Continuous Torque & Speed Limit Request", CommandClass.DRIVE),
    (0x0D100, "ASC6", "Air Suspension Control 6", None),
    (0x0D200, "ASC2", "Air Suspension Control 2", None),
    (0x0D300, "DM19", "Calibration Information", None),
    (0x0D400, "DM18", "Data Security", CommandClass.DIAGNOSTIC_WRITE),
    (0x0D500, "TDA", "Time/Date Adjust", None),
    (0x0D600, "DM17", "Boot Load Data", CommandClass.DIAGNOSTIC_WRITE),
    (0x0D700, "DM16", "Binary Data Transfer", CommandClass.DIAGNOSTIC_WRITE),
    (0x0D800, "DM15", "Memory Access Response", None),
    (0x0D900, "DM14", "Memory Access Request", CommandClass.DIAGNOSTIC_WRITE),
    (0x0DA00, "DIAG3", "Reserved for ISO 15765-2", CommandClass.ISO_TP_CARRIER),
    (0x0DB00, "DIAG4", "Reserved for ISO 15765-2", CommandClass.ISO_TP_CARRIER),
    (0x0DC00, "ATS", "Anti-theft Status", None),
    (0x0DD00, "ATR", "Anti-theft Request", CommandClass.DIAGNOSTIC_WRITE),
    (0x0DE00, "RESET", "Reset", CommandClass.DIAGNOSTIC_WRITE),
    (0x0DF00, "DM13", "Stop Start Broadcast", CommandClass.DIAGNOSTIC_WRITE),
    (0x0E000, "CM1", "Cab Message 1", CommandClass.BODY),
    (0x0E300, "DM7", "Command Non-continuously Monitored Test", CommandClass.DIAGNOSTIC_WRITE),
    (0x0E800, "ACKM", "Acknowledgment Message", None),
    (0x0EA00, "RQST", "Request", CommandClass.REQUEST),
    (0x0EB00, "TP.DT", "Transport Protocol - Data Transfer", CommandClass.TRANSPORT),
    (0x0EC00, "TP.CM.xx", "Transport Protocol - Connection Mgmt", CommandClass.TRANSPORT),
    (0x0EE00, "AC", "Address Claimed", CommandClass.NETWORK_MGMT),
    (0x0EF00, "PropA", "Proprietary A", CommandClass.PROPRIETARY),
    (0x0F000, "ERC1", "Electronic Retarder Controller 1", CommandClass.BRAKE_RETARDER),
    (0x0F001, "EBC1", "Electronic Brake Controller 1", CommandClass.BRAKE_RETARDER),
    (0x0F002, "ETC1", "Electronic Transmission Controller 1", None),
    (0x0F003, "EEC2", "Electronic Engine Controller 2", None),
    (0x0F004, "EEC1", "Electronic Engine Controller 1", None),
    (0x0F005, "ETC2", "Electronic Transmission Controller 2", None),
    (0x0F006, "EAC1", "Electronic Axle Controller 1", None),
    (0x0F007, "FLI1", "Forward Lane Image 1", None),
    (0x0F009, "VDC2", "Vehicle Dynamic Stability Control 2", None),
    (0x0F00A, "EGF1", "Engine Gas Flow Rate", None),
    (0x0F00B, "ESC1", "Electronic Steering Control", None),
    (0x0F00C, "ETC8", "Electronic Transmission Controller 8", None),
    (0x0F02A, "ARI", "Angular Rate Information", None),
    (0x0F02F, "AEBS1", "Advanced Emergency Braking System 1", None),
    (0x0F036, "HVESSS2", "High Voltage Energy Storage System Status 2", None),
    (0x0F038, "ETFR", "Engine Torque / Fuel Request", CommandClass.DRIVE),
    (0x0F06F, "PC1IC1", "Power Converter 1 Control 1", CommandClass.POWER_CONVERTER),
    (0x0F070, "PC2IC1", "Power Converter 2 Control 1", CommandClass.POWER_CONVERTER),
    (0x0F071, "PC1IRLR1", "Power Converter 1 Rate Limits Request 1", CommandClass.POWER_CONVERTER),
    (0x0F072, "PC2IRLR1", "Power Converter 2 Rate Limits Request 1", CommandClass.POWER_CONVERTER),
    (0x0F073, "PC2IC2", "Power Converter 2 Control 2", CommandClass.POWER_CONVERTER),
    (0x0F074, "PC1IC2", "Power Converter 1 Control 2", CommandClass.POWER_CONVERTER),
    (0x0F090, "HVESSD1", "High Voltage Energy Storage System Data 1", None),
    (0x0F091, "HVESSD2", "High Voltage Energy Storage System Data 2", None),
    (0x0F092, "HVESSD3", "High Voltage Energy Storage System Data 3", None),
    (0x0F093, "HVESSD4", "High Voltage Energy Storage System Data 4", None),
    (0x0F094, "HVESSD5", "High Voltage Energy Storage System Data 5", None),
    (0x0F095, "HVESSD6", "High Voltage Energy Storage System Data 6", None),
    (0x0F096, "HVESSS1", "High Voltage Energy Storage System Status 1", None),
    (0x0F0A0, "HVESSD7", "High Voltage Energy Storage System Data 7", None),
    (0x0F0D3, "PCC1", "Predictive Cruise Control 1", CommandClass.DRIVE),
    (0x0F0D6, "DCAC_AI1_CMD", "DC/AC Accessory Inverter 1 Command", CommandClass.AUX_INVERTER),
    (0x0F0DA, "DCAC_AI2_CMD", "DC/AC Accessory Inverter 2 Command", CommandClass.AUX_INVERTER),
    (0x0F0DE, "DCAC_AI3_CMD", "DC/AC Accessory Inverter 3 Command", CommandClass.AUX_INVERTER),
    (0x0F0E2, "DCAC_AI4_CMD", "DC/AC Accessory Inverter 4 Command", CommandClass.AUX_INVERTER),
    (0x0F0ED, "ENGSC", "Engine Start Control", CommandClass.DRIVE),
    (0x0F109, "HVESSTS1", "HVESS Thermal Management System Status 1", None),
    (0x0F10A, "HVESSD8", "High Voltage Energy Storage System Data 8", None),
    (0x0F10B, "HVESSD9", "High Voltage Energy Storage System Data 9", None),
    (0x0F10C, "HVESSD10", "High Voltage Energy Storage System Data 10", None),
    (0x0F112, "DCDC1C", "DC/DC Converter 1 Control", CommandClass.DCDC),
    (0x0F113, "DCDC1OS", "DC/DC Converter 1 Operating Status", None),
    (0x0F114, "DCDC1VC", "DC/DC Converter 1 Voltage and Current", None),
    (0x0F115, "DCDC1SBS", "DC/DC Converter 1 SLI Battery Status", None),
    (0x0F117, "DCDC1S2", "DC/DC Converter 1 Status 2", None),
    (0x0F118, "DCDC2C", "DC/DC Converter 2 Control", CommandClass.DCDC),
    (0x0F119, "DCDC2OS", "DC/DC Converter 2 Operating Status", None),
    (0x0F11A, "DCDC2VC", "DC/DC Converter 2 Voltage and Current", None),
    (0x0F11B, "DCDC2SBS", "DC/DC Converter 2 SLI Battery Status", None),
    (0x0F11C, "DCDC2S2", "DC/DC Converter 2 Status 2", None),
    (0x0F11D, "DCDC3C", "DC/DC Converter 3 Control", CommandClass.DCDC),
    (0x0F122, "DCDC4C", "DC/DC Converter 4 Control", CommandClass.DCDC),
    (0x0F12E, "DCAC_AI5_CMD", "DC/AC Accessory Inverter 5 Command", CommandClass.AUX_INVERTER),
    (0x0F208, "MG3IC", "Motor/Generator 3 Inverter Control", CommandClass.DRIVE_MOTOR),
    (0x0F209, "MG3IRLR1", "Motor/Generator 3 Inverter Rate Limits Request 1", CommandClass.DRIVE_MOTOR),
    (0x0F20A, "MG4IC", "Motor/Generator 4 Inverter Control", CommandClass.DRIVE_MOTOR),
    (0x0F20B, "MG4IRLR1", "Motor/Generator 4 Inverter Rate Limits Request 1", CommandClass.DRIVE_MOTOR),
    (0x0F20C, "MG5IC", "Motor/Generator 5 Inverter Control", CommandClass.DRIVE_MOTOR),
    (0x0F20D, "MG5IRLR1", "Motor/Generator 5 Inverter Rate Limits Request 1", CommandClass.DRIVE_MOTOR),
    (0x0F20E, "MG6IC", "Motor/Generator 6 Inverter Control", CommandClass.DRIVE_MOTOR),
    (0x0F20F, "MG6IRLR1", "Motor/Generator 6 Inverter Rate Limits Request 1", CommandClass.DRIVE_MOTOR),
    (0x0FA68, "PC2IIR", "Power Converter 2 Isolation Integrity Request", CommandClass.POWER_CONVERTER),
    (0x0FA69, "PC1IIR", "Power Converter 1 Isolation Integrity Request", CommandClass.POWER_CONVERTER),
    (0x0FA6A, "PC2IRP", "Power Converter 2 Limits Request Power", CommandClass.POWER_CONVERTER),
    (0x0FA6B, "PC2ILRM", "Power Converter 2 Limits Request Electrical", CommandClass.POWER_CONVERTER),
    (0x0FA6C, "PC2ILRDC", "Power Converter 2 Limits Request DC Energy Source 1", CommandClass.POWER_CONVERTER),
    (0x0FA6D, "PC1ILRDC", "Power Converter 1 Limits Request DC Energy Source 1", CommandClass.POWER_CONVERTER),
    (0x0FA6E, "PC1ILRM", "Power Converter 1 Limits Request Electrical", CommandClass.POWER_CONVERTER),
    (0x0FA6F, "PC1IRP", "Power Converter 1 Limits Request Power", CommandClass.POWER_CONVERTER),
    (0x0FAE6, "ODM215", "", None),
    (0x0FB18, "MG6IC2", "Motor/Generator 6 Inverter Control 2", CommandClass.DRIVE_MOTOR),
    (0x0FB19, "MG6IRP", "Motor/Generator 6 Inverter Limits Request Power", CommandClass.DRIVE_MOTOR),
    (0x0FB1A, "MG6ILRM", "Motor/Generator 6 Inverter Limits Request Mechanical", CommandClass.DRIVE_MOTOR),
    (0x0FB1B, "MG6ILRDC", "Motor/Generator 6 Inverter Limits Request DC Side", CommandClass.DRIVE_MOTOR),
    (0x0FB1C, "MG6IIR", "Motor/Generator 6 Inverter Isolation Integrity Request", CommandClass.DRIVE_MOTOR),
    (0x0FB1D, "MG5IC2", "Motor/Generator 5 Inverter Control 2", CommandClass.DRIVE_MOTOR),
    (0x0FB1E, "MG5IRP", "Motor/Generator 5 Inverter Limits Request Power", CommandClass.DRIVE_MOTOR),
    (0x0FB1F, "MG5ILRM", "Motor/Generator 5 Inverter Limits Request Mechanical", CommandClass.DRIVE_MOTOR),
    (0x0FB20, "MG5ILRDC", "Motor/Generator 5 Inverter Limits Request DC Side", CommandClass.DRIVE_MOTOR),
    (0x0FB21, "MG5IIR", "Motor/Generator 5 Inverter Isolation Integrity Request", CommandClass.DRIVE_MOTOR),
    (0x0FB22, "MG4IC2", "Motor/Generator 4 Inverter Control 2", CommandClass.DRIVE_MOTOR),
    (0x0FB23, "MG4IRP", "Motor/Generator 4 Inverter Limits Request Power", CommandClass.DRIVE_MOTOR),
    (0x0FB24, "MG4ILRM", "Motor/Generator 4 Inverter Limits Request Mechanical", CommandClass.DRIVE_MOTOR),
    (0x0FB25, "MG4ILRDC", "Motor/Generator 4 Inverter Limits Request DC Side", CommandClass.DRIVE_MOTOR),
    (0x0FB26, "MG4IIR", "Motor/Generator 4 Inverter Isolation Integrity Request", CommandClass.DRIVE_MOTOR),
    (0x0FB27, "MG3IC2", "Motor/Generator 3 Inverter Control 2", CommandClass.DRIVE_MOTOR),
    (0x0FB28, "MG3IRP", "Motor/Generator 3 Inverter Limits Request Power", CommandClass.DRIVE_MOTOR),
    (0x0FB29, "MG3ILRM", "Motor/Generator 3 Inverter Limits Request Mechanical", CommandClass.DRIVE_MOTOR),
    (0x0FB2A, "MG3ILRDC", "Motor/Generator 3 Inverter Limits Request DC Side", CommandClass.DRIVE_MOTOR),
    (0x0FB2B, "MG3IIR", "Motor/Generator 3 Inverter Isolation Integrity Request", CommandClass.DRIVE_MOTOR),
    (0x0FBE6, "HVESSFC", "High Voltage Energy Storage System Fan Commands", CommandClass.BMS_THERMAL),
    (0x0FC1A, "HVESSTC1", "HVESS Thermal Management System Control 1", CommandClass.BMS_THERMAL),
    (0x0FC1B, "HVESSTC2", "HVESS Thermal Management System Control 2", CommandClass.BMS_THERMAL),
    (0x0FCCC, "EEC12", "Electronic Engine Controller 12", None),
    (0x0FCCE, "DSC", "Drive Strategy Command", CommandClass.DRIVE),
    (0x0FD09, "HRLFC", "High Resolution Fuel Consumption (Liquid)", None),
    (0x0FD7C, "DPFC1", "Diesel Particulate Filter Control 1", None),
    (0x0FD7D, "TTS", "FMS Telltale Status", None),
    (0x0FD80, "DM28", "Emission-Related Permanent Diagnostic Trouble Codes", None),
    (0x0FD82, "DM27", "All Pending DTCs", None),
    (0x0FD94, "EEC7", "Electronic Engine Controller 7", None),
    (0x0FDA3, "EEC6", "Electronic Engine Controller 6", None),
    (0x0FDA4, "PTODE", "PTO Drive Engagement", None),
    (0x0FDA5, "DC2", "Door Control 2", None),
    (0x0FDB5, "DM23", "Emission-Related Previously MIL-On Diagnostic Trouble Codes", None),
    (0x0FDB6, "DM24", "SPN Support", None),
    (0x0FDB7, "DM25", "Expanded Freeze Frame", None),
    (0x0FDB8, "DM26", "Diagnostic Readiness 3", None),
    (0x0FDC4, "EBC5", "Electronic Brake Controller 5", None),
    (0x0FDC5, "ECUID", "ECU Identification Information", None),
    (0x0FDCC, "OEL", "Operators External Light Controls Message", None),
    (0x0FDCD, "OWW", "Operator Wiper and Washer Controls Message", None),
    (0x0FDD0, "IC2", "Intake/Exhaust Conditions 2", None),
    (0x0FDD1, "FMS", "FMS-standard Interface Identity/Capabilities", None),
    (0x0FDD4, "CM3", "Cab Message 3", None),
    (0x0FDD5, "EEC5", "Electronic Engine Controller 5", None),
    (0x0FDE0, "AMB2", "Ambient Conditions 2", None),
    (0x0FDE1, "CACI", "Cab A/C Climate System Information", None),
    (0x0FDE5, "MVS", "Maximum Vehicle Speed Limit Status", None),
    (0x0FE02, "GPAACP", "Generator Phase A AC Power", None),
    (0x0FE40, "LD", "Lighting Data", None),
    (0x0FE41, "LCMD", "Lighting Command", None),
    (0x0FE4A, "ETC7", "Electronic Transmission Controller 7", None),
    (0x0FE4B, "TCFG2", "Transmission Configuration 2", None),
    (0x0FE4E, "DC1", "Door Control 1", None),
    (0x0FE4F, "VDC1", "Vehicle Dynamic Stability Control 1", None),
    (0x0FE51, "ACC2", "Adaptive Cruise Control, Operator Input", None),
    (0x0FE52, "VEP3", "Vehicle Electrical Power 3", None),
    (0x0FE56, "AT1T1I1", "Aftertreatment 1 Diesel Exhaust Fluid Tank 1 Information 1", None),
    (0x0FE57, "ASC5", "Air Suspension Control 5", None),
    (0x0FE58, "ASC4", "Air Suspension Control 4", None),
    (0x0FE59, "ASC3", "Air Suspension Control 3", None),
    (0x0FE5A, "ASC1", "Air Suspension Control 1", None),
    (0x0FE5B, "FLI2", "Forward Lane Image 2", None),
    (0x0FE68, "VF", "Vehicle Fluids", None),
    (0x0FE69, "ET3", "Engine Temperature 3", None),
    (0x0FE6A, "EFS", "Engine Fuel/Lube Systems", None),
    (0x0FE6B, "DI", "Driver's Identification", None),
    (0x0FE6C, "TCO1", "Tachograph", None),
    (0x0FE6D, "HTR", "Heater Information", None),
    (0x0FE6E, "HRW", "High Resolution Wheel Speed", None),
    (0x0FE6F, "ACC1", "Adaptive Cruise Control 1", None),
    (0x0FE70, "CVW", "Combination Vehicle Weight", None),
    (0x0FE8D, "VEP2", "Vehicle Electrical Power 2", None),
    (0x0FEA4, "ET2", "Engine Temperature 2", None),
    (0x0FEAB, "ETC6", "Electronic Transmission Controller 6", None),
    (0x0FEAC, "EBC4", "Wheel Brake Lining Remaining Information", None),
    (0x0FEAD, "EBC3", "Wheel Application Pressure High Range Information", None),
    (0x0FEAE, "AIR1", "Air Supply Pressure", None),
    (0x0FEB2, "GFI1", "Fuel Information 1 (Gaseous)", None),
    (0x0FEBD, "FD1", "Fan Drive 1", None),
    (0x0FEBE, "EEC4", "Electronic Engine Controller 4", None),
    (0x0FEBF, "EBC2", "Wheel Speed Information", None),
    (0x0FEC0, "SERV", "Service Information", None),
    (0x0FEC1, "VDHR", "High Resolution Vehicle Distance", None),
    (0x0FEC2, "ERC2", "Electronic Retarder Controller 2", None),
    (0x0FEC3, "ETC5", "Electronic Transmission Controller 5", None),
    (0x0FEC5, "ETC4", "Electronic Transmission Controller 4", None),
    (0x0FEC7, "ETC3", "Electronic Transmission Controller 3", None),
    (0x0FECA, "DM1", "Active Diagnostic Trouble Codes", None),
    (0x0FECB, "DM2", "Previously Active Diagnostic Trouble Codes", None),
    (0x0FECC, "DM3", "Diagnostic Data Clear/Reset for Previously Active DTCs", CommandClass.DIAGNOSTIC_WRITE),
    (0x0FECD, "DM4", "Freeze Frame Parameters", None),
    (0x0FECE, "DM5", "Diagnostic Readiness 1", None),
    (0x0FECF, "DM6", "Emission-Related Pending Diagnostic Trouble Codes", None),
    (0x0FED0, "DM8", "Test Results for Non-continuously Monitored Systems", None),
    (0x0FED2, "DM10", "Non-Continuously Monitored Systems Test Identifiers Support", None),
    (0x0FED3, "DM11", "Diagnostic Data Clear/Reset for Active DTCs", CommandClass.DIAGNOSTIC_WRITE),
    (0x0FED4, "DM12", "Emission-Related MIL-On Diagnostic Trouble Codes", None),
    (0x0FED5, "AS", "Alternator Information", None),
    (0x0FED8, "CA", "Commanded Address", CommandClass.NETWORK_MGMT),
    (0x0FED9, "AUXIO1", "Auxiliary Input/Output Status 1", None),
    (0x0FEDA, "SOFT", "Software Identification", None),
    (0x0FEDB, "EFL/P2", "Engine Fluid Level/Pressure 2", None),
    (0x0FEDC, "IO", "Idle Operation", None),
    (0x0FEDD, "TC", "Turbocharger", None),
    (0x0FEDF, "EEC3", "Electronic Engine Controller 3", None),
    (0x0FEE0, "VD", "Vehicle Distance", None),
    (0x0FEE1, "RC", "Retarder Configuration", None),
    (0x0FEE2, "TCFG", "Transmission Configuration", None),
    (0x0FEE3, "EC1", "Engine Configuration 1", None),
    (0x0FEE4, "SHUTDN", "Shutdown", CommandClass.DRIVE),
    (0x0FEE5, "HOURS", "Engine Hours, Revolutions", None),
    (0x0FEE6, "TD", "Time/Date", None),
    (0x0FEE7, "VH", "Vehicle Hours", None),
    (0x0FEE8, "VDS", "Vehicle Direction/Speed", None),
    (0x0FEE9, "LFC1", "Fuel Consumption (Liquid) 1", None),
    (0x0FEEA, "VW", "Vehicle Weight", None),
    (0x0FEEB, "CI", "Component Identification", None),
    (0x0FEEC, "VI", "Vehicle Identification", None),
    (0x0FEED, "CCSS", "Cruise Control/Vehicle Speed Setup", None),
    (0x0FEEE, "ET1", "Engine Temperature 1", None),
    (0x0FEEF, "EFL/P1", "Engine Fluid Level/Pressure 1", None),
    (0x0FEF0, "PTO", "Power Takeoff Information", None),
    (0x0FEF1, "CCVS1", "Cruise Control/Vehicle Speed 1", None),
    (0x0FEF2, "LFE1", "Fuel Economy (Liquid)", None),
    (0x0FEF3, "VP1", "Vehicle Position 1", None),
    (0x0FEF4, "TIRE1", "Tire Condition Message 1", None),
    (0x0FEF5, "AMB", "Ambient Conditions", None),
    (0x0FEF6, "IC1", "Intake/Exhaust Conditions 1", None),
    (0x0FEF7, "VEP1", "Vehicle Electrical Power 1", None),
    (0x0FEF8, "TRF1", "Transmission Fluids 1", None),
    (0x0FEF9, "AI", "Axle Information", None),
    (0x0FEFA, "B1", "Brakes 1", None),
    (0x0FEFC, "DD1", "Dash Display 1", None),
    (0x0FEFF, "OI", "Operator Indicators", None),
    (0x1EF00, "PropA2", "Proprietary A2", CommandClass.PROPRIETARY),
)
# fmt: on

GROUPS: Mapping[int, Group] = {pgn: Group(acronym, label, command) for pgn, acronym, label, command in _TABLE}


def group_of(pgn: int) -> Group | None:
    """What is known of a parameter group; the proprietary ranges have one name a number (`PropB_5C`)."""
    group = GROUPS.get(pgn)
    if group is None and pgn & ~0x100FF == 0xFF00:
        page = "2" if pgn & 0x10000 else ""
        return Group(f"PropB{page}_{pgn & 0xFF:02X}", f"Proprietary B{page}", None)
    return group


def name_of(pgn: int) -> str | None:
    """The acronym of a parameter group; None for one without a known name."""
    group = group_of(pgn)
    return group.acronym if group else None


def label_of(pgn: int) -> str | None:
    """The label of a parameter group; None for one without a known label."""
    group = group_of(pgn)
    return (group.label or None) if group else None


def command_of(pgn: int) -> CommandClass | None:
    """What a parameter group commands; None for one that is not known to command anything."""
    group = group_of(pgn)
    return group.command if group else None
