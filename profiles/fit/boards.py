"""The machines of the library: which rows of ncnn's benchmark they are fitted to, and what is known of
their power and price. A figure that is nobody's published number says "assumed" in its source.
"""

PAPER = "Leroy & Goedeme 2021, table 1"
LIST = "assumed: about the list price, converted at 1 USD = 0.92 EUR, tax left out"
DRAW = "assumed: typical reports of the whole board, idle and with every core busy"
PHONE = "assumed: a phone's sustained draw with the screen off; price of a used one"
MODES = "maker's power modes (least and greatest); idle assumed"


def board(name, title, row, threads, powersave, gpu, memory_gb, idle_w, busy_w, power, euro, price,
          one=None):
    """`one` is the (device, threads, powersave) of the one-thread CPU row when the device differs."""
    return {
        "name": name, "title": title, "row": (row, threads, powersave, gpu),
        "memory_gb": memory_gb, "idle_w": idle_w, "busy_w": busy_w, "power_source": power,
        "euro": euro, "price_source": price, "one": one or row,
    }


BOARDS = [
    board("raspberry-pi-3b-plus", "Raspberry Pi 3 Model B+, 4 x Cortex-A53 1.4 GHz",
          "Raspberry Pi 3 Model B+", 4, 0, -1, 1, 1.7, 5.1, PAPER, 40, PAPER),
    board("raspberry-pi-4", "Raspberry Pi 4 Model B, 4 x Cortex-A72 1.8 GHz",
          "Raspberry Pi 4 Model B", 4, 0, -1, 4, 2.7, 6.4, DRAW, 51, LIST),
    board("raspberry-pi-5", "Raspberry Pi 5, 4 x Cortex-A76 2.4 GHz",
          "Raspberry Pi 5 Broadcom BCM2712, Cortex-A76", 4, 0, -1, 4, 2.7, 8.0, DRAW, 55, LIST),
    board("raspberry-pi-zero-2w", "Raspberry Pi Zero 2 W, 4 x Cortex-A53 1.0 GHz",
          "Raspberry Pi Zero 2 W", 4, 0, -1, 0.5, 0.7, 2.2, DRAW, 14, LIST),
    board("jetson-nano", "NVIDIA Jetson Nano, 128-core Maxwell GPU",
          "NVIDIA Jetson Nano", 1, 0, 0, 4, 5.0, 10.0, PAPER, 122, PAPER),
    board("jetson-nano-cpu", "NVIDIA Jetson Nano, 4 x Cortex-A57 1.4 GHz",
          "NVIDIA Jetson Nano", 4, 0, -1, 4, 5.0, 10.0, PAPER, 122, PAPER),
    board("jetson-tx2-nx", "NVIDIA Jetson TX2 NX, 256-core Pascal GPU",
          "NVIDIA Jetson TX2 NX", 1, 0, 0, 4, 5.0, 15.0, MODES, 185, LIST),
    board("jetson-tx2-nx-cpu", "NVIDIA Jetson TX2 NX, 2 x Denver2 + 4 x Cortex-A57 2.0 GHz",
          "NVIDIA Jetson TX2 NX", 6, 0, -1, 4, 5.0, 15.0, MODES, 185, LIST),
    board("jetson-orin-nano", "NVIDIA Jetson Orin Nano, Ampere GPU",
          "NVIDIA Jetson Orin Nano", 1, 0, 0, 8, 5.0, 15.0, MODES, 230, LIST),
    board("jetson-orin-nano-cpu", "NVIDIA Jetson Orin Nano, 6 x Cortex-A78AE",
          "NVIDIA Jetson Orin Nano", 6, 0, -1, 8, 5.0, 15.0, MODES, 230, LIST),
    board("jetson-agx-orin", "NVIDIA Jetson AGX Orin, Ampere GPU with tensor cores",
          "NVIDIA Jetson AGX Orin", 1, 0, 0, 32, 10.0, 60.0, MODES, 1840, LIST),
    board("jetson-agx-orin-cpu", "NVIDIA Jetson AGX Orin, 12 x Cortex-A78AE 2.2 GHz",
          "NVIDIA Jetson AGX Orin", 8, 0, -1, 32, 10.0, 60.0, MODES, 1840, LIST),
    board("jetson-agx-xavier", "NVIDIA Jetson AGX Xavier, Volta GPU with tensor cores",
          "NVIDIA Jetson AGX Xavier", 1, 0, 0, 32, 7.0, 30.0, MODES, 640, LIST),
    board("jetson-agx-xavier-cpu", "NVIDIA Jetson AGX Xavier, 8 x Carmel 2.2 GHz",
          "NVIDIA Jetson AGX Xavier", 8, 0, -1, 32, 7.0, 30.0, MODES, 640, LIST),
    board("rk3588", "Rockchip RK3588, 4 x Cortex-A76 2.4 GHz (the big cores)",
          "Rockchip RK3588 (Cortex-A76", 4, 2, -1, 8, 2.5, 9.0, DRAW, 110, LIST),
    board("rk3588-gpu", "Rockchip RK3588, Mali-G610",
          "Rockchip RK3588 (Cortex-A76", 1, 2, 0, 8, 2.5, 8.0, DRAW, 110, LIST),
    board("orange-pi-5", "Orange Pi 5, RK3588S, 4 x Cortex-A76 2.4 GHz (the big cores)",
          "OrangePi5, Rockchip RK3588s", 4, 2, -1, 8, 2.2, 8.0, DRAW, 90, LIST),
    board("orange-pi-5-plus", "Orange Pi 5 Plus, RK3588, 4 x Cortex-A76 2.4 GHz (the big cores)",
          "OrangePi5 Plus, Rockchip RK3588", 4, 2, -1, 8, 2.8, 9.0, DRAW, 120, LIST),
    board("orange-pi-4-lts", "Orange Pi 4 LTS, RK3399, 2 x Cortex-A72 1.8 GHz (the big cores)",
          "OrangePi4 LTS, Rockchip RK3399", 2, 2, -1, 4, 2.5, 7.5, DRAW, 60, LIST),
    board("orange-pi-zero-2", "Orange Pi Zero 2, H616, 4 x Cortex-A53 1.5 GHz",
          "OrangePi Zero 2, Allwinner H616", 4, 0, -1, 1, 1.0, 3.5, DRAW, 25, LIST),
    board("orange-pi-cm4", "Orange Pi CM4, RK3566, 4 x Cortex-A55 1.8 GHz",
          "OrangePicm4, Rockchip Rk3566", 4, 0, -1, 4, 1.2, 4.0, DRAW, 45, LIST),
    board("rock-3a", "Radxa Rock 3A, RK3568, 4 x Cortex-A55 2.0 GHz",
          "Rock3A, Rockchip RK3568", 4, 0, -1, 4, 1.5, 4.5, DRAW, 50, LIST),
    board("radxa-zero-3w", "Radxa Zero 3W, RK3566, 4 x Cortex-A55 1.4 GHz",
          "Radxa Zero 3W", 4, 0, -1, 2, 0.9, 3.0, DRAW, 25, LIST),
    board("radxa-orion-o6", "Radxa Orion O6, 12 x Cortex-A720/A520",
          "Radxa Orion O6", 12, 2, -1, 16, 10.0, 30.0, DRAW, 250, LIST),
    board("khadas-vim3", "Khadas VIM3, A311D, 4 x Cortex-A73 2.2 GHz (the big cores)",
          "Khadas VIM3, Amlogic A311D", 4, 2, -1, 4, 2.0, 7.0, DRAW, 130, LIST),
    board("banana-pi-m2-zero", "Banana Pi M2 Zero, H2+, 4 x Cortex-A7 1.2 GHz",
          "Banana Pi M2 Zero 2", 4, 0, -1, 0.5, 0.8, 2.5, DRAW, 22, LIST),
    board("nanopi-r2s", "NanoPi R2S, RK3328, 4 x Cortex-A53 1.3 GHz",
          "NanoPi R2S, Rockchip RK3328", 4, 0, -1, 1, 1.5, 4.0, DRAW, 30, LIST),
    board("rdk-x3", "D-Robotics RDK X3, 4 x Cortex-A53 1.5 GHz (without its accelerator)",
          "RDK X3 Module", 4, 0, -1, 4, 2.0, 5.0, DRAW, 70, LIST),
    board("arduino-uno-q", "Arduino UNO Q, QRB2210, 4 x Cortex-A53 2.0 GHz",
          "Arduino UNO Q - QRB2210", 4, 0, -1, 2, 0.8, 3.0, DRAW, 40, LIST),
    board("visionfive-2", "StarFive VisionFive 2, JH7110, 4 x SiFive U74 1.5 GHz (RISC-V)",
          "VisionFive2 , JH7110", 4, 0, -1, 8, 3.0, 5.5, DRAW, 75, LIST),
    board("muse-pi-pro", "SpacemiT MUSE Pi Pro, 8 x X60 (RISC-V)",
          "Spacemit MUSE Pi Pro", 8, 2, -1, 8, 3.0, 8.0, DRAW, 110, LIST),
    board("phytium-pi", "Phytium Pi, E2000, 2 x FTC664 1.8 GHz",
          "PhytiumPi, Phytium E2000", 2, 2, -1, 4, 3.0, 7.0, DRAW, 60, LIST),
    board("snapdragon-8-gen-2", "Phone: Qualcomm Snapdragon 8 Gen 2",
          "Qualcomm SM8550-AB Snapdragon 8 Gen 2", 4, 2, -1, 8, 0.6, 5.0, PHONE, 350, PHONE),
    board("dimensity-9300", "Phone: MediaTek Dimensity 9300",
          "MediaTek Dimensity 9300", 4, 2, -1, 12, 0.6, 6.0, PHONE, 450, PHONE),
    board("snapdragon-888", "Phone: Qualcomm Snapdragon 888",
          "Qualcomm Snapdragon 888", 8, 2, -1, 8, 0.6, 5.0, PHONE, 220, PHONE),
    board("snapdragon-855-plus", "Phone: Qualcomm Snapdragon 855+",
          "Qualcomm SM8150-AC Snapdragon 855+", 4, 2, -1, 6, 0.5, 4.5, PHONE, 150, PHONE),
    board("snapdragon-765g", "Phone: Qualcomm Snapdragon 765G",
          "Qualcomm SDM765G Snapdragon 765G", 4, 2, -1, 6, 0.5, 3.5, PHONE, 120, PHONE),
    board("snapdragon-660", "Phone: Qualcomm Snapdragon 660",
          "Qualcomm SDM660 Snapdragon 660", 8, 0, -1, 4, 0.5, 3.5, PHONE, 70, PHONE),
    board("kirin-970", "Phone: HiSilicon Kirin 970",
          "Kirin 970", 4, 2, -1, 6, 0.5, 4.0, PHONE, 80, PHONE),
    board("snapdragon-410", "Phone or stick: Qualcomm Snapdragon 410, 4 x Cortex-A53 1.2 GHz",
          "Qualcomm MSM8916 Snapdragon 410", 4, 0, -1, 1, 0.4, 2.0, PHONE, 20, PHONE),
    board("celeron-n5105", "Mini PC: Intel Celeron N5105",
          "Intel Celeron N5105", 4, 0, -1, 8, 5.0, 15.0, DRAW, 140, LIST),
    board("atom-x5-z8350", "Mini PC: Intel Atom x5-Z8350",
          "Intel Atom x5-Z8350", 4, 0, -1, 4, 2.5, 7.0, DRAW, 80, LIST),
    board("ryzen-v1605b", "Box PC: AMD Ryzen Embedded V1605B",
          "AMD Ryzen Embedded V1605B", 4, 0, -1, 8, 8.0, 25.0, DRAW, 400, LIST),
    board("ryzen-5700g", "PC: AMD Ryzen 7 5700G", "AMD Ryzen 5700g", 16, 0, -1, 16, 20.0, 90.0, DRAW,
          450, LIST),
    board("core-i7-13700k", "PC: Intel Core i7-13700K",
          "Intel\u00ae Core\u2122 i7-13700K", 16, 0, -1, 32, 35.0, 250.0, DRAW, 900, LIST,
          one="Microsoft Azure Standard D64s v6"),
    board("macbook-air-m3", "Apple MacBook Air M3, one core",
          "MacBook Air (13-inch, M3, 2024)", 1, 0, -1, 8, 3.0, 12.0, DRAW, 1000, LIST),
    board("snapdragon-x-elite", "Laptop: Qualcomm Snapdragon X Elite",
          "Qualcomm Snapdragon X Elite", 12, 0, -1, 16, 5.0, 30.0, DRAW, 1000, LIST,
          one="Microsoft Azure Standard D64ps v6"),
]

AWS = "AWS on-demand price in us-east-1, converted at 1 USD = 0.92 EUR"
ON_DEMAND = "assumed: about the provider's on-demand price, converted at 1 USD = 0.92 EUR"


def cloud(name, title, row, threads, gpu, like, memory_gb, vcpus, euro_per_hour, source, baseline=1.0,
          surplus=0.0, reserved=()):
    """`like` says how the row's machine relates to this one; `baseline` is the share of each vCPU that
    the price includes, `surplus` the euro per vCPU-hour beyond it."""
    return {
        "name": name, "title": title, "row": (row, threads, None, gpu), "like": like,
        "memory_gb": memory_gb, "vcpus": vcpus, "euro_per_hour": euro_per_hour,
        "rent_source": source, "baseline": baseline, "surplus": surplus, "reserved": reserved,
        "one": row,
    }


HASWELL = ("assumed equal to one thread of an EPYC 7742: both have AVX2 and boost to about 3.3 GHz, "
           "and no t2.micro is in the benchmark")
SKYLAKE = "assumed equal to one thread of the closest x86 server in the benchmark, an EPYC 7742"
EPYC = "AMD EPYC 7742"
GOLD = "Microsoft Azure Standard D64s v6"
COBALT = "Microsoft Azure Standard D64ps v6"
TURIN = "Microsoft Azure Standard D64as v7"
ARM = "assumed equal to Azure's Cobalt 100 (Neoverse N2) at the same number of vCPUs"
INTEL = "assumed equal to Azure's D64s v6 (Xeon Platinum 8573C) at the same number of vCPUs"
AMD = "assumed equal to Azure's D64as v7 (EPYC 9005) at the same number of vCPUs"
SAME = "measured on a 64-vCPU machine of this family"

CLOUDS = [
    cloud("t2.micro", "AWS t2.micro, 1 vCPU of a 3.3 GHz Xeon, 6 CPU credits an hour", EPYC, 1, -1,
          HASWELL, 1, 1, 7.527 / 730,
          "Leroy & Goedeme 2021, tables 2 and 4: 500 instances at 3763.5 EUR a month of 730 h; "
          "baseline and surplus price from AWS (0.05 USD per vCPU-hour)", 0.10, 0.046,
          (("1 year", 0.0062), ("3 years", 0.0044))),
    cloud("t3.micro", "AWS t3.micro, 2 vCPUs, burstable", EPYC, 1, -1, SKYLAKE, 1, 2, 0.0096, AWS, 0.10,
          0.046),
    cloud("t3.small", "AWS t3.small, 2 vCPUs, burstable", EPYC, 1, -1, SKYLAKE, 2, 2, 0.0191, AWS, 0.20,
          0.046),
    cloud("t4g.small", "AWS t4g.small, 2 Arm vCPUs, burstable", COBALT, 1, -1,
          "assumed equal to one core of Azure's Cobalt 100; Graviton 2 is a generation older", 2, 2,
          0.0155, AWS, 0.20, 0.0368),
    cloud("c5.4xlarge", "AWS c5.4xlarge, 16 vCPUs", "AWS c5.4xlarge Instance", 8, -1,
          "measured on this instance", 32, 16, 0.6256, AWS),
    cloud("c6i.large", "AWS c6i.large, 2 vCPUs", GOLD, 2, -1, INTEL, 4, 2, 0.0782, AWS),
    cloud("c7g.large", "AWS c7g.large, 2 Arm vCPUs", COBALT, 2, -1, ARM, 4, 2, 0.0667, AWS),
    cloud("c7g.xlarge", "AWS c7g.xlarge, 4 Arm vCPUs", COBALT, 4, -1, ARM, 8, 4, 0.1334, AWS),
    cloud("c7a.large", "AWS c7a.large, 2 vCPUs", TURIN, 2, -1, AMD, 4, 2, 0.0944, AWS),
    cloud("m7i.large", "AWS m7i.large, 2 vCPUs", GOLD, 2, -1, INTEL, 8, 2, 0.0927, AWS),
    cloud("p3.2xlarge", "AWS p3.2xlarge, one V100 GPU, 8 vCPUs", "NVIDIA Tesla V100-PCIE-32GB", 1, 0,
          "measured on a V100", 61, 8, 2.815, AWS),
    cloud("azure-d2s-v6", "Azure D2s v6, 2 vCPUs", GOLD, 2, -1, SAME, 8, 2, 0.093, ON_DEMAND),
    cloud("azure-d2ps-v6", "Azure D2ps v6, 2 Arm vCPUs", COBALT, 2, -1, SAME, 8, 2, 0.071, ON_DEMAND),
    cloud("azure-d2as-v7", "Azure D2as v7, 2 vCPUs", TURIN, 2, -1, SAME, 8, 2, 0.084, ON_DEMAND),
    cloud("gcp-e2-micro", "Google Cloud e2-micro, 2 shared vCPUs", EPYC, 1, -1, SKYLAKE, 1, 2, 0.0077,
          ON_DEMAND, 0.125, 0.0),
    cloud("hetzner-cx22", "Hetzner CX22, 2 shared vCPUs", EPYC, 1, -1, SKYLAKE, 4, 2, 0.0061,
          "assumed: about the provider's price without tax"),
]
