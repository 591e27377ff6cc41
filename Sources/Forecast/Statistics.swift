/// The nearest-rank percentile: the smallest of `values` that at least `percent` % of them don't
/// exceed. Always one of the values, never between two. 0 gives the least.
///
/// - Returns: nil if there are no values, or `percent` is not within 0...100.
/// - Complexity: O(n log n).
package func percentile(_ percent: Double, of values: [Double]) -> Double? {
    guard (0...100).contains(percent), !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
    return sorted[min(max(rank, 1), sorted.count) - 1]
}

/// The middle value, or the mean of the two middle ones. Nil if there are none.
package func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1
        ? sorted[middle] : sorted[middle - 1] / 2 + sorted[middle] / 2
}

package struct Point: Hashable, Sendable {
    package let x: Double
    package let y: Double

    package init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }
}

/// A straight line through points, some of which may lie.
package struct TheilSen: Hashable, Sendable {
    /// The median of all pairwise slopes: right as long as fewer than 29 % of the points are not.
    package let slope: Double
    /// The median of `y - slope * x`.
    package let intercept: Double
    /// Of each two points that differ in x, ascending. Their spread says how sure `slope` is.
    package let slopes: [Double]

    package func value(at x: Double) -> Double { intercept + slope * x }
}

/// Fits a line as Theil (1950) and Sen (1968) did.
///
/// - Returns: nil unless two finite points differ in x.
/// - Complexity: O(n² log n) in time, O(n²) in space: for hundreds of points.
package func theilSen(_ points: [Point]) -> TheilSen? {
    let points = points.filter { $0.x.isFinite && $0.y.isFinite }
    var slopes: [Double] = []
    for (index, left) in points.enumerated() {
        for right in points[(index + 1)...] where left.x != right.x {
            let slope = (right.y - left.y) / (right.x - left.x)
            if slope.isFinite { slopes.append(slope) }
        }
    }
    guard let slope = median(slopes), let intercept = median(points.map { $0.y - slope * $0.x })
    else { return nil }
    return TheilSen(slope: slope, intercept: intercept, slopes: slopes.sorted())
}
