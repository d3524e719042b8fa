/**
 * What every device must do, as tests: a provider's own test extends {@link
 * dev.slipstream.bridge.contract.DeviceContractTest}. The package is an artifact of its own, for providers outside of
 * this project ({@code docs/provider.md}).
 */
package dev.slipstream.bridge.contract;
