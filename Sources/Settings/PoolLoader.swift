import Vocabulary

extension Loader {
    /// - Parameter names: of all pools, also of those that have a mistake.
    func pools(
        _ root: Section, names: inout Set<String>
    ) -> [(pool: Configuration.Pool, section: Section)] {
        var pools: [(pool: Configuration.Pool, section: Section)] = []
        for section in root.sections("pools") {
            let name = section.require("name", .name("staff"))
            let ranges = addresses(section)
            let dns = section.list("dns", of: .address, canBeEmpty: true) ?? []
            let eviction = section.read("eviction", .word, or: Defaults.eviction)
            section.finish()
            guard let name else { continue }
            if !names.insert(name.value).inserted {
                section.fail("name", "a pool \"\(name)\" is there already; choose another name")
            }
            let pool = Configuration.Pool(
                name: name.value, ipv4: ranges.first { $0.first.isIPv4 },
                ipv6: ranges.first { !$0.first.isIPv4 }, eviction: eviction.value,
                dns: dns.map(\.value))
            pools.append((pool, section))
        }
        return pools
    }

    /// At most one range of each family.
    private func addresses(_ section: Section) -> [AddressRange] {
        guard section.has("addresses") else {
            section.fail("lacks \"addresses\": \(Kind<AddressRange>.range.expected)")
            return []
        }
        let ranges = section.list("addresses", of: .range)?.map(\.value) ?? []
        for isIPv4 in [true, false] where ranges.count(where: { $0.first.isIPv4 == isIPv4 }) > 1 {
            section.fail(
                "addresses",
                "has two ranges of IPv\(isIPv4 ? 4 : 6); write one, as first-last if need be")
        }
        return ranges
    }
}

extension Configuration.Pool {
    package var ranges: [AddressRange] { [ipv4, ipv6].compactMap { $0 } }
}
